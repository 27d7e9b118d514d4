// The process that is stopped again and again: `stopped-writer.js FOLDER LEDGER SEED`. It tells the ledger, a file, what it asks for and what is done.
import { openSync, writeSync } from 'node:fs'
import { seededRandom } from '@spillway/core/testing'
import { QuickClock } from './quick-clock.js'
import { makeStorage } from './support.js'
import { Workload } from './workload.js'

const STEPS_A_STRETCH = 200
/** Long enough for the storage to think that nothing happens any more. */
const QUIET_MS = 60

const [folder, ledgerPath, seed] = process.argv.slice(2)
const ledger = openSync(ledgerPath, 'a')
const storage = makeStorage(folder, { journalFileSizeBytes: 64 * 1024, syncIntervalMs: 2000 }, new QuickClock())
await storage.open()
const workload = new Workload(storage, seededRandom(Number(seed)), (event) => {
  writeSync(ledger, `${JSON.stringify(event)}\n`)
})
process.send?.('open')
for (let stretch = 0; ; stretch++) {
  await workload.run(STEPS_A_STRETCH)
  if (stretch % 3 === 0) await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
}
