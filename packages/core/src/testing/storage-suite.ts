import assert from 'node:assert/strict'
import type { Durability, Storage, StorageCapabilities } from '../contracts/storage.js'
import { StorageFixture } from './storage-fixture.js'
import { testCatalogue } from './storage-suite-catalogue.js'
import { testCrash } from './storage-suite-crash.js'
import { testCursors } from './storage-suite-cursors.js'
import { testErase } from './storage-suite-erase.js'
import { testLifecycle } from './storage-suite-lifecycle.js'
import { testRecords } from './storage-suite-records.js'

/** What a storage's author gives to {@link testStorage}. */
export interface StorageSuite {
  /** What the storage declares. Tests are skipped because of this and for no other reason. */
  readonly capabilities: StorageCapabilities
  /**
   * Makes a storage, not open yet. `place` is a short name of letters, digits and `-`: storages made for one place share
   * what they store, say a folder of that name; those made for different places share nothing, and start empty.
   */
  create(place: string): Storage | Promise<Storage>
  /**
   * Needed when a durability above `none` is declared. Runs {@link writeUntilKilled} on a storage at `place` in a process
   * of its own, kills that with SIGKILL some 150 ms after its first report, and returns everything that it reported. (To
   * kill it upon some report would be to kill it always at the same step.)
   */
  kill?(place: string, durability: Durability): Promise<readonly string[]>
}

/**
 * The conformance suite for storages: defines mocha tests for every sentence of the contract that can be tested from
 * outside. Where they pass, the engine can rely on the storage.
 *
 * ```js
 * testStorage({ capabilities, create: (place) => new MyStorage({ path: join(folder, place) }), kill })
 * ```
 */
export function testStorage(suite: StorageSuite): void {
  describe('Storage contract', () => {
    const fixture = new StorageFixture(suite)
    testLifecycle(suite, fixture)
    testCatalogue(suite, fixture)
    for (const durability of suite.capabilities.durabilities) {
      describe(`a log with durability ${durability}`, () => {
        testRecords(fixture, durability)
        testErase(fixture, durability)
        testCursors(fixture, durability)
        testCrash(suite, fixture, durability)
      })
    }
    // In a group of its own, since mocha runs the tests of a group before the groups in it.
    describe('after all of these tests', () => {
      it('close: has never failed', () => {
        assert.deepEqual(fixture.closeErrors, [])
      })
    })
  })
}
