import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from '../support/program.js'
import { SuitePrograms } from '../support/suite-programs.js'
import { runGo } from './go-tool.js'
import { reasonFrom, type Unavailable } from './unavailable.js'

const SOURCE = fileURLToPath(new URL('../../interop/nsq/', import.meta.url))
const NAMES = [
  'nsq_stat',
  'nsq_tail',
  'nsq_to_file',
  'nsq_to_http',
  'nsq_to_nsq',
  'nsqadmin',
  'nsqd',
  'nsqlookupd',
  'to_nsq',
] as const
const BUILD_LIMIT_MS = 300_000

export type NsqProgramName = (typeof NAMES)[number]

let built: Promise<string | Unavailable> | undefined

/** The original nsqd and the programs that come with it, for one suite of tests: built once, and none outlives its test. */
export class NsqPrograms extends SuitePrograms<NsqProgramName> {
  readonly #name: string
  #folder = ''

  /** `name` is the suite's, for saying that it is skipped. */
  constructor(name: string) {
    super()
    this.#name = name
  }

  /** In the suite's `before`: builds them. Where that cannot be done, the suite is skipped and the reason is printed. */
  async prepare(context: Mocha.Context): Promise<void> {
    context.timeout(BUILD_LIMIT_MS)
    built ??= build()
    const folder = await built
    if (typeof folder !== 'string') {
      console.log(`    ${this.#name} is skipped: ${folder.unavailable}`)
      context.skip()
    }
    this.#folder = folder
  }

  /** Where its executable is. */
  path(name: NsqProgramName): string {
    return join(this.#folder, name)
  }

  protected commandOf(name: NsqProgramName, flags: readonly string[]): Command {
    return { command: this.path(name), args: flags }
  }
}

/**
 * Where the executables are. They are built outside the checkout, once for each list of modules, and stay there for
 * later runs. That a module cannot be had is a reason to skip; that they do not compile is not.
 */
async function build(): Promise<string | Unavailable> {
  const folder = join(tmpdir(), `spillway-nsq-${await versionAndKey()}`)
  if (await isWhole(folder)) return folder

  const download = await runGo(SOURCE, 'mod', 'download')
  if (download instanceof Error) return { unavailable: `go cannot be run: ${download.message}` }
  if (download.exit?.code !== 0) return reasonFrom('the modules cannot be had', download.stderr)

  const partial = await mkdtemp(`${folder}-`)
  const packages = NAMES.map((name) => `github.com/nsqio/nsq/apps/${name}`)
  const compiled = await runGo(SOURCE, 'build', '-mod=readonly', '-ldflags=-s -w', '-o', `${partial}/`, ...packages)
  try {
    if (compiled instanceof Error) throw compiled
    if (compiled.exit?.code !== 0) throw new Error(`go build: ${compiled.stderr}`)
    await moveInto(folder, partial)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return folder
}

/** Of what the executables are made, so that other sources are never taken for them: `1.3.0-linux-x64-…`. */
async function versionAndKey(): Promise<string> {
  const modules = await readFile(`${SOURCE}go.mod`, 'utf8')
  const sums = await readFile(`${SOURCE}go.sum`, 'utf8')
  const version = /nsqio\/nsq v(\S+)/.exec(modules)?.[1]
  const key = createHash('sha256').update(modules).update(sums).update(NAMES.join()).digest('hex').slice(0, 16)
  return `${version}-${process.platform}-${process.arch}-${key}`
}

/** True when everything is there. @throws Error when somebody else has put it there: on a shared machine, it is not for us to run */
async function isWhole(folder: string): Promise<boolean> {
  if (!existsSync(folder)) return false
  if ((await stat(folder)).uid !== process.getuid?.())
    throw new Error(`${folder} is not ours: remove it, or set TMPDIR`)
  return NAMES.every((name) => existsSync(join(folder, name)))
}

/** Renames only what is whole into place, so that a broken build is never taken for a good one. */
async function moveInto(folder: string, partial: string): Promise<void> {
  // A half is there when the system has cleared old files away.
  if (!(await isWhole(folder))) await rm(folder, { recursive: true, force: true })
  try {
    await rename(partial, folder)
  } catch (error) {
    // Another run was faster; its executables are as good.
    if (!(await isWhole(folder))) throw error
  }
}
