import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { CrashRun } from './crash-run.js'
import { DEFAULT_STORAGE, storageUse } from './options.js'
import { type CrashReport, reportText } from './report.js'

const LIMIT_MS = 60_000
const ROUNDS = 3

/** A short run at every build; `npm run test:crash` is the long one. */
describe('a broker that is killed in the middle of traffic', () => {
  const seed = Math.floor(Math.random() * 2 ** 32)

  it('keeps what durability process promises', async function () {
    this.timeout(LIMIT_MS)
    assertHeld(await run('process', false))
  })

  it('keeps what durability power promises when any part of what was not synced is gone', async function () {
    // Which file a descriptor is, only Linux says.
    if (process.platform !== 'linux') this.skip()
    this.timeout(LIMIT_MS)
    assertHeld(await run('power', true))
  })

  it('would be found out: with durability none acknowledged messages are lost', async function () {
    this.timeout(LIMIT_MS)
    const report = await run('none', false, true)
    assert.ok(report.lostCount > 0, reportText(report))
    assert.match(report.violations.join('\n'), /acknowledged and lost/)
    if (report.directory !== null) await rm(report.directory, { recursive: true, force: true })
  })

  function run(durability: string, losesPower: boolean, isToFail = false): Promise<CrashReport> {
    return new CrashRun({
      seed,
      rounds: ROUNDS,
      storage: storageUse(DEFAULT_STORAGE, durability),
      losesPower,
      keepsGoing: isToFail,
      ...(isToFail ? { stalledAfterMs: 1_000 } : {}),
      progress: () => undefined,
    }).run()
  }

  function assertHeld(report: CrashReport): void {
    assert.deepEqual(report.violations, [], reportText(report))
    assert.ok(report.acknowledgedCount > 0 && report.finishedCount > 0, reportText(report))
  }
})
