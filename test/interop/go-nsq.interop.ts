import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from '../support/program.js'
import { testClientProgram } from './client-program-suite.js'
import { runGo } from './go-tool.js'
import { reasonFrom, type Unavailable } from './unavailable.js'

const SOURCE = fileURLToPath(new URL('../../interop/go', import.meta.url))

let directory: string | undefined

describe('with the Go client', () => {
  after(async () => {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true })
  })
  testClientProgram('go-nsq', buildProgram)
})

/** Builds outside the checkout. That a module cannot be had is a reason to skip; that ours does not compile is not. */
async function buildProgram(): Promise<Command | Unavailable> {
  const download = await runGo(SOURCE, 'mod', 'download')
  if (download instanceof Error) return { unavailable: `go cannot be run: ${download.message}` }
  if (download.exit?.code !== 0) return reasonFrom('the modules cannot be had', download.stderr)

  directory = await mkdtemp(join(tmpdir(), 'spillway-go-nsq-'))
  const executable = join(directory, 'interop')
  const build = await runGo(SOURCE, 'build', '-mod=readonly', '-o', executable, '.')
  if (build instanceof Error) throw build
  if (build.exit?.code !== 0) throw new Error(`go build: ${build.stderr}`)
  return { command: executable, args: [] }
}
