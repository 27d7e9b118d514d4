import assert from 'node:assert/strict'
import type { Lease } from '../contracts/sequence.js'
import type { Durability, Storage } from '../contracts/storage.js'
import { recordsOf, sampleRun } from './sample-records.js'
import { itIf, readAll, type StorageFixture } from './storage-fixture.js'
import type { StorageSuite } from './storage-suite.js'

const CHANNEL = 1
const PAGE_COUNT = 4
const RECORDS_PER_CHUNK = 3

const number = (value: number) => new Uint8Array(Buffer.from(String(value)))
const toNumber = (bytes: Uint8Array | undefined) => Number(Buffer.from(bytes ?? []).toString())

/**
 * What the killed process runs: opens the storage and writes to it for ever, one step after the other. Calls `report`
 * with a line for everything that has resolved, `lease N` first, then `append N`, `cursor N`, `catalogue N` in turn,
 * N counting from 1. What was not reported may still be found afterwards.
 */
export async function writeUntilKilled(
  storage: Storage,
  durability: Durability,
  report: (line: string) => void,
): Promise<never> {
  await storage.open()
  const lease = storage.takeLeases(1)
  report(`lease ${lease}`)
  const log = await storage.openLog(lease, { durability, epoch: 0 })
  for (let step = 1; ; step++) {
    await log.append(sampleRun((step - 1) * RECORDS_PER_CHUNK, RECORDS_PER_CHUNK))
    report(`append ${step}`)
    // All pages and the head say the same number: afterwards they must agree.
    const pages = new Map(Array.from({ length: PAGE_COUNT }, (_, page) => [page, number(step)] as const))
    await log.saveCursor(CHANNEL, { head: number(step), pages })
    report(`cursor ${step}`)
    await storage.writeCatalogue([
      { key: 'kill/a', value: number(step) },
      { key: 'kill/b', value: number(step) },
    ])
    report(`catalogue ${step}`)
    // Reports have to leave the process, also when nothing above waits for anything.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The last number reported under a name. */
function reported(lines: readonly string[], name: string): number {
  const line = lines.findLast((candidate) => candidate.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length + 1))
}

export function testCrash({ kill }: StorageSuite, fixture: StorageFixture, durability: Durability): void {
  itIf(durability !== 'none')(
    'what resolved survives kill -9, and what comes in one piece comes back in one',
    async function () {
      this.timeout(60_000)
      assert.ok(kill !== undefined, `testStorage needs \`kill\`, since durability ${durability} is declared`)
      const lines = await kill(fixture.place, durability)
      const lease = reported(lines, 'lease')
      assert.ok(lease > 0 && reported(lines, 'catalogue') > 0, `the writer got too little time: ${lines}`)

      const storage = await fixture.storage()
      assert.ok(storage.takeLeases(1) !== lease, `lease ${lease} was given out twice`)
      await assertCatalogueSurvived(storage, reported(lines, 'catalogue'))
      await assertLogSurvived(fixture, durability, lease, lines)
    },
  )
}

async function assertCatalogueSurvived(storage: Storage, reportedStep: number): Promise<void> {
  const catalogue = await storage.readCatalogue('kill/')
  const step = toNumber(catalogue.get('kill/a'))
  assert.ok(step >= reportedStep, `catalogue ${reportedStep} had resolved, ${step} is there`)
  assert.equal(toNumber(catalogue.get('kill/b')), step, 'half of a batch is there')
}

async function assertLogSurvived(
  fixture: StorageFixture,
  durability: Durability,
  lease: Lease,
  lines: readonly string[],
): Promise<void> {
  const log = await fixture.log(durability, lease)
  assert.equal(log.next % RECORDS_PER_CHUNK, 0, `half of a chunk is there: the log ends at ${log.next}`)
  const step = log.next / RECORDS_PER_CHUNK
  assert.ok(step >= reported(lines, 'append'), `append ${reported(lines, 'append')} had resolved, ${step} are there`)
  assert.deepEqual(recordsOf(await readAll(log)), recordsOf([sampleRun(0, log.next)]))

  const cursor = await log.loadCursor(CHANNEL)
  const saved = toNumber(cursor?.head)
  assert.ok(saved >= reported(lines, 'cursor'), `cursor ${reported(lines, 'cursor')} had resolved, ${saved} is there`)
  const pages = Array.from({ length: PAGE_COUNT }, (_, page) => toNumber(cursor?.pages.get(page)))
  assert.deepEqual(pages, new Array(PAGE_COUNT).fill(saved), 'half of a cursor is there')

  await log.append(sampleRun(log.next, 1))
  assert.equal(recordsOf(await readAll(log)).length, log.next + 1)
}
