import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { HELP, parseOptions, UsageError } from './options.js'
import { originalNsqd } from './original.js'
import { runRandom } from './random/run.js'

const NEEDS_ORIGINAL = `Drawn conversations are played to the original nsqd too, and there is none: not in the PATH, and SPILLWAY_REAL_NSQD names none.
Build nsqd 1.3.0 (go install github.com/nsqio/nsq/apps/nsqd@v1.3.0) and say SPILLWAY_REAL_NSQD=/path/to/nsqd npm run test:differential -- --random 2000`

const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** @returns the exit code */
async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  if (options.random === null) return runCases(options.records)
  const command = originalNsqd()
  if (command !== null) return runRandom(options.random, command)
  say(NEEDS_ORIGINAL)
  return 2
}

function runCases(records: boolean): number {
  const mocha = fileURLToPath(new URL('../../../node_modules/mocha/bin/mocha.js', import.meta.url))
  const config = fileURLToPath(new URL('../../differential/mocharc.json', import.meta.url))
  const env = records ? { ...process.env, SPILLWAY_RECORD: '1' } : process.env
  return spawnSync(process.execPath, [mocha, '--config', config], { stdio: 'inherit', env }).status ?? 1
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  say(`test:differential: ${error.message}\nSee npm run test:differential -- --help`)
  process.exitCode = 2
}
