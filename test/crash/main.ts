import { writeFileSync } from 'node:fs'
import { CrashRun } from './crash-run.js'
import { HELP, parseOptions, storageUse, UsageError } from './options.js'
import { type CrashReport, reportText } from './report.js'

const say = (line: string) => process.stderr.write(`${line}\n`)

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), process.env)
  if (options === 'help') {
    process.stdout.write(HELP)
    return 0
  }
  const { seed, rounds, storage, keepsGoing } = options
  const reports: CrashReport[] = []
  for (const durability of options.durabilities) {
    const losesPower = options.losesPower ?? durability === 'power'
    if (losesPower && process.platform !== 'linux') {
      say(`SKIPPED: durability ${durability} with dropping what was not synced: that needs Linux`)
      continue
    }
    say(`durability ${durability}, ${rounds} rounds, seed ${seed}`)
    const run = new CrashRun({
      seed,
      rounds,
      storage: storageUse(storage, durability),
      losesPower,
      keepsGoing,
      ...(options.only === null ? {} : { only: options.only }),
      progress: say,
    })
    const report = await run.run()
    process.stdout.write(`${reportText(report)}\n`)
    reports.push(report)
  }
  if (options.jsonPath !== null) writeFileSync(options.jsonPath, `${JSON.stringify(reports, null, 2)}\n`)
  return reports.every(({ violations }) => violations.length === 0) ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  say(`test:crash: ${error.message}\nSee npm run test:crash -- --help`)
  process.exitCode = 2
}
