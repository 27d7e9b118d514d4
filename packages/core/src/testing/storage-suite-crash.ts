import assert from 'node:assert/strict'
import type { Lease } from '../contracts/sequence.js'
import type { Durability, Storage } from '../contracts/storage.js'
import { recordsOf, sampleBytes, sampleRun } from './sample-records.js'
import { DURABLE, itIf, readAll, type StorageFixture } from './storage-fixture.js'
import type { StorageSuite } from './storage-suite.js'

const CHANNEL = 1
/** So many that a store which writes them one by one is most probably killed in between. */
const PART_COUNT = 64
const RECORDS_PER_CHUNK = 3
const ROUND_COUNT = 4

const PARTS = [...new Array(PART_COUNT).keys()]
const number = (value: number) => sampleBytes(String(value))
const catalogueKey = (lease: Lease, part: number) => `killed/${lease}/${part}`
const toNumber = (bytes: Uint8Array | undefined) => Number(Buffer.from(bytes ?? []).toString())

/**
 * What the killed process runs: opens the storage and writes to it for ever, one step after the other. Calls `report`
 * with a line for everything that has resolved, `lease N` first, then `append N`, `cursor N`, `catalogue N` in turn,
 * N counting from 1. What was not reported may still be found afterwards. Of every chunk it erases the record in the middle.
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
    const middle = step * RECORDS_PER_CHUNK - 2
    log.erase([{ first: middle, end: middle + 1 }])
    // All pages and the head say the same number: afterwards they must agree.
    const pages = new Map(PARTS.map((page) => [page, number(step)]))
    await log.saveCursor(CHANNEL, { head: number(step), pages })
    report(`cursor ${step}`)
    await storage.writeCatalogue(PARTS.map((part) => ({ key: catalogueKey(lease, part), value: number(step) })))
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
  itIf(durability !== 'none', DURABLE)(
    'what resolved survives kill -9, and what was written in one piece comes back in one',
    async function () {
      this.timeout(60_000)
      assert.ok(kill !== undefined, `testStorage needs \`kill\`, since durability ${durability} is declared`)
      const leases = new Set<Lease>()
      for (let round = 0; round < ROUND_COUNT; round++) {
        const lines = await kill(fixture.place, durability)
        const lease = reported(lines, 'lease')
        assert.ok(lease > 0 && reported(lines, 'catalogue') > 0, `the writer got too little time: ${lines}`)
        const storage = await fixture.storage()
        for (const taken of [lease, storage.takeLeases(1)]) {
          assert.ok(!leases.has(taken), `lease ${taken} was given out twice`)
          leases.add(taken)
        }
        await assertCatalogueSurvived(storage, lease, lines)
        await assertLogSurvived(fixture, durability, lease, lines)
        await fixture.close()
      }
    },
  )
}

async function assertCatalogueSurvived(storage: Storage, lease: Lease, lines: readonly string[]): Promise<void> {
  const catalogue = await storage.readCatalogue(`killed/${lease}/`)
  const steps = PARTS.map((part) => toNumber(catalogue.get(catalogueKey(lease, part))))
  const expected = reported(lines, 'catalogue')
  assert.ok(steps[0] >= expected, `catalogue ${expected} had resolved, ${steps[0]} is there`)
  assert.deepEqual(steps, new Array(PART_COUNT).fill(steps[0]), 'a part of a batch is there')
}

async function assertLogSurvived(
  fixture: StorageFixture,
  durability: Durability,
  lease: Lease,
  lines: readonly string[],
): Promise<void> {
  const log = await fixture.log(durability, lease)
  assert.equal(log.next % RECORDS_PER_CHUNK, 0, `a part of a chunk is there: the log ends at ${log.next}`)
  const step = log.next / RECORDS_PER_CHUNK
  assert.ok(step >= reported(lines, 'append'), `append ${reported(lines, 'append')} had resolved, ${step} are there`)
  const found = recordsOf(await readAll(log))
  const there = new Set(found.map(({ sequence }) => sequence))
  const wanted = recordsOf([sampleRun(0, log.next)])
  assert.deepEqual(
    found,
    wanted.filter(({ sequence }) => there.has(sequence) || sequence % RECORDS_PER_CHUNK !== 1),
  )

  const cursor = await log.loadCursor(CHANNEL)
  const saved = toNumber(cursor?.head)
  assert.ok(saved >= reported(lines, 'cursor'), `cursor ${reported(lines, 'cursor')} had resolved, ${saved} is there`)
  const pages = PARTS.map((page) => toNumber(cursor?.pages.get(page)))
  assert.deepEqual(pages, new Array(PART_COUNT).fill(saved), 'a part of a cursor is there')

  await log.append(sampleRun(log.next, 1))
  assert.equal(recordsOf(await readAll(log)).at(-1)?.sequence, wanted.length)
}
