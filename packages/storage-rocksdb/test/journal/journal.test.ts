import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { FakeClock, seededRandom } from '@spillway/core/testing'
import { temporaryFolder } from '../support.js'
import { makeJournal, readBack, sampleRecord } from './support.js'

/** A disk that is now quick and now slow, as the journal sees it: time passes whenever it looks. */
class UnsteadyClock extends FakeClock {
  slowness = 0
  readonly #random = seededRandom(11)
  #passedMs = 0

  override monotonicMs(): number {
    if (this.#random() < this.slowness) this.#passedMs += 10
    return this.#passedMs
  }
}

describe('Journal', () => {
  const folder = temporaryFolder()

  for (const slowness of [0, 0.02, 1]) {
    it(`keeps everything in the order of the calls, whatever goes through the thread pool (${slowness * 100} % slow)`, async () => {
      const place = join(folder, `slow-${slowness * 100}`)
      mkdirSync(place)
      const clock = new UnsteadyClock()
      clock.slowness = slowness
      const random = seededRandom(5)
      const journal = makeJournal(place, 64 * 1024, clock)
      journal.open(1, 0, [])
      const resolved: number[] = []
      const pending: Promise<void>[] = []
      for (let first = 0; first < 600; first++) {
        const record = sampleRecord(first, 1 + Math.floor(random() * 3000), random() < 0.2 ? 'due' : null)
        const sync = random() < 0.05
        const written = random() < 0.3 ? journal.appendLazily(record) : journal.append(record, sync)
        if (written === undefined) resolved.push(first)
        else pending.push(written.then(() => void resolved.push(first)))
        if (random() < 0.1) pending.push(journal.sync())
        if (random() < 0.2) await new Promise((resolve) => setImmediate(resolve))
      }
      await Promise.all(pending)
      await journal.close(false)
      assert.equal(resolved.length, 600)
      const { records, damage, cutBytes } = await readBack(place)
      assert.deepEqual(damage, [])
      assert.equal(cutBytes, 0)
      assert.deepEqual(
        records.filter(({ payload }) => payload !== '').map(({ first }) => first),
        Array.from({ length: 600 }, (_, first) => first),
      )
    })
  }
})
