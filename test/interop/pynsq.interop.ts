import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Command, Program } from '../support/program.js'
import { within } from '../support/within.js'
import { type ClientStreams, testClientProgram } from './client-program-suite.js'
import { reasonFrom, type Unavailable } from './unavailable.js'
import { CHANGED_STREAMS } from './ways.js'

const SOURCE = fileURLToPath(new URL('../../interop/python/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/spillway-interop/', import.meta.url))
const TOOL_LIMIT_MS = 240_000

// pynsq 0.9.1 loses its connection when it compresses inside TLS, and its compressed sockets give up on what comes in
// pieces ("failed to unpack size"): with the original nsqd as well.
const STREAMS: ClientStreams = {
  managed: CHANGED_STREAMS.filter(({ tls, compression }) => !tls || compression === 'none'),
  reliable: CHANGED_STREAMS.filter(({ compression }) => compression === 'none'),
}

testClientProgram('pynsq', installLibraries, STREAMS)

/** Installs pynsq and what it needs into a folder of their own, once for each Python and each list of requirements. */
async function installLibraries(): Promise<Command | Unavailable> {
  const version = await python('-c', 'import sys; print(sys.version)')
  if (version instanceof Error) return { unavailable: `python3 cannot be run: ${version.message}` }
  if (version.exit?.code !== 0) return reasonFrom('python3 does not work', version.stderr)

  const requirements = await readFile(`${SOURCE}requirements.txt`, 'utf8')
  const key = createHash('sha256').update(version.stdout).update(requirements).digest('hex').slice(0, 16)
  const libraries = `${CACHE}python-${key}`
  if (!existsSync(libraries)) {
    const unavailable = await install(libraries)
    if (unavailable !== undefined) return unavailable
  }
  // -B: no compiled files beside the sources of the checkout.
  return { command: 'python3', args: ['-B', `${SOURCE}interop.py`], env: { PYTHONPATH: libraries } }
}

/** Renames only what is whole into place, so that a broken installation is never taken for a good one. */
async function install(libraries: string): Promise<Unavailable | undefined> {
  const partial = `${libraries}.${process.pid}`
  const pip = await python('-m', 'pip', 'install', '--quiet', '--target', partial, '-r', `${SOURCE}requirements.txt`)
  if (pip instanceof Error || pip.exit?.code !== 0) {
    await rm(partial, { recursive: true, force: true })
    return pip instanceof Error ? { unavailable: pip.message } : reasonFrom('pip cannot install pynsq', pip.stderr)
  }
  try {
    await rename(partial, libraries)
  } catch (error) {
    // Another run was faster; its libraries are as good.
    await rm(partial, { recursive: true, force: true })
    if (!existsSync(libraries)) throw error
  }
  return undefined
}

/** The program that has ended, or why it could not be started. */
async function python(...args: string[]): Promise<Program | Error> {
  const program = new Program({ command: 'python3', args })
  try {
    await within(program.exited, TOOL_LIMIT_MS, `python3 ${args.slice(0, 2).join(' ')}`)
    return program
  } catch (error) {
    return error as Error
  }
}
