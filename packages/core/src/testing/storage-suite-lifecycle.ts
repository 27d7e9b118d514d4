import assert from 'node:assert/strict'
import type { LogStore } from '../contracts/log-store.js'
import type { Durability, Storage } from '../contracts/storage.js'
import { recordsOf, sampleRun, sequencesOf } from './sample-records.js'
import { assertFails, DURABLE, itIf, readAll, type StorageFixture } from './storage-fixture.js'
import type { StorageSuite } from './storage-suite.js'

const DURABILITIES: readonly Durability[] = ['none', 'process', 'power']
const LEASE_MAX = 2 ** 32 - 1

/** Opening and closing, leases, and which logs there are. */
export function testLifecycle({ capabilities }: StorageSuite, fixture: StorageFixture): void {
  const weakest = capabilities.durabilities[0]
  const strongest = capabilities.durabilities[capabilities.durabilities.length - 1]
  const isDurable = strongest !== 'none'

  describe('its life', () => {
    it('has the capabilities that it declares, durabilities weakest first', async () => {
      const storage = await fixture.make()
      assert.deepEqual({ ...storage.capabilities }, { ...capabilities })
      assert.ok(capabilities.durabilities.length > 0)
      assert.deepEqual(
        capabilities.durabilities,
        DURABILITIES.filter((durability) => capabilities.durabilities.includes(durability)),
      )
    })

    it('takes new records, as far as it knows, when it is new', async () => {
      assert.equal((await fixture.storage()).refusal, null)
    })

    it('open: refuses a second one at the same place, and the first goes on', async () => {
      const first = await fixture.storage()
      const second = await fixture.make()
      await assertFails('E_STORAGE_LOCKED', () => second.open())
      await first.writeCatalogue([{ key: 'still', value: Uint8Array.of(1) }])
      assert.equal((await first.readCatalogue('still')).size, 1)
    })

    it('before open, every call fails', async () => {
      await assertAllClosed(await fixture.make(), weakest)
    })

    it('after close, every call fails, also on its logs', async () => {
      const storage = await fixture.storage()
      const log = await fixture.log(weakest)
      await storage.close()
      await assertAllClosed(storage, weakest)
      await assertLogClosed(log)
    })

    it('close: twice, and twice at once, is like once', async () => {
      const storage = await fixture.storage()
      await fixture.log(weakest)
      await Promise.all([storage.close(), storage.close()])
      await storage.close()
    })

    it('close: without open does nothing', async () => {
      await (await fixture.make()).close()
    })

    it('close: lets accepted writes settle', async () => {
      const storage = await fixture.storage()
      const lease = storage.takeLeases(1)
      const log = await fixture.log(strongest, lease)
      const writes = [
        log.append(sampleRun(0, 2)),
        log.append(sampleRun(2, 2)),
        log.saveCursor(7, { head: Uint8Array.of(1), pages: new Map() }),
        storage.writeCatalogue([{ key: 'k', value: Uint8Array.of(2) }]),
      ]
      await Promise.all([storage.close(), ...writes])
      if (!isDurable) return
      assert.equal((await (await fixture.reopen()).readCatalogue('k')).size, 1)
      const again = await fixture.log(strongest, lease)
      assert.deepEqual(sequencesOf(await readAll(again)), [0, 1, 2, 3])
      assert.notEqual(await again.loadCursor(7), null)
    })

    it('gives the place free when it is closed', async () => {
      await fixture.storage()
      await fixture.reopen()
    })
  })

  describe('leases', () => {
    it('are consecutive within a call, and between 1 and 2^32 - 1', async () => {
      const storage = await fixture.storage()
      const first = storage.takeLeases(10)
      const next = storage.takeLeases(1)
      assert.ok(Number.isInteger(first) && first >= 1 && next <= LEASE_MAX, `${first}, ${next}`)
      assert.ok(next >= first + 10 || next < first, `${next} was given out with ${first}`)
    })

    it('are never given out again, not even by the next storage at the same place', async () => {
      const taken = new Set<number>()
      for (let opened = 0; opened < 4; opened++) {
        const storage = opened === 0 ? await fixture.storage() : await fixture.reopen()
        for (const count of [1, 3, 1, 1_000, 20_000]) {
          const first = storage.takeLeases(count)
          for (let lease = first; lease < first + count; lease++) {
            assert.ok(!taken.has(lease), `lease ${lease} was given out twice`)
            taken.add(lease)
          }
        }
      }
    })
  })

  describe('logs', () => {
    it('openLog: a new log is empty and begins at 0', async () => {
      const log = await fixture.log(weakest)
      assert.deepEqual([log.first, log.next, log.sizeBytes], [0, 0, 0])
      assert.deepEqual(await log.read(0, 1_000), [])
    })

    it('openLog: refuses a durability that is not offered', async () => {
      const storage = await fixture.storage()
      const lease = storage.takeLeases(1)
      const refused = DURABILITIES.filter((durability) => !capabilities.durabilities.includes(durability))
      for (const durability of [...refused, 'eternal' as Durability]) {
        await assertFails('E_INVALID_OPTION', () => storage.openLog(lease, { durability, epoch: 0 }))
      }
    })

    it('openLog: a log is open at most once at a time', async () => {
      const storage = await fixture.storage()
      const lease = storage.takeLeases(1)
      const log = await fixture.log(weakest, lease)
      await assertFails('E_STORAGE_LOCKED', () => fixture.log(weakest, lease))
      await log.append(sampleRun(0, 1))
      await log.close()
      const again = await fixture.log(weakest, lease)
      assert.equal(again.next, 1)
    })

    it('keeps many logs apart', async () => {
      const storage = await fixture.storage()
      const leases = Array.from({ length: 12 }, () => storage.takeLeases(1))
      const logs = await Promise.all(leases.map((lease) => fixture.log(weakest, lease)))
      await Promise.all(logs.map((log, at) => log.append(sampleRun(at * 100, at + 1))))
      await logs[0].trim(1_000)
      await logs[1].close()
      await storage.deleteLog(leases[1])
      for (let at = 2; at < logs.length; at++) {
        assert.deepEqual(recordsOf(await logs[at].read(0, 100_000)), recordsOf([sampleRun(at * 100, at + 1)]))
      }
    })

    it('deleteLog: forgets records and cursors, and may be repeated', async () => {
      const storage = await fixture.storage()
      const lease = storage.takeLeases(1)
      const log = await fixture.log(weakest, lease)
      await log.append(sampleRun(5, 1))
      await log.trim(5)
      await log.saveCursor(1, { head: Uint8Array.of(1), pages: new Map() })
      await log.close()
      await storage.deleteLog(lease)
      await storage.deleteLog(lease)
      await storage.deleteLog(storage.takeLeases(1))
      assert.ok(!(await storage.listLogs()).includes(lease))
      const empty = await fixture.log(weakest, lease)
      assert.deepEqual([empty.first, empty.next, await empty.read(0, 1)], [0, 0, []])
      assert.equal(await empty.loadCursor(1), null)
    })

    it('listLogs: names every log that has records or cursors, open or not', async () => {
      const storage = await fixture.storage()
      const [open, closed, cursorOnly] = [1, 2, 3].map(() => storage.takeLeases(1))
      await (await fixture.log(weakest, open)).append(sampleRun(0, 1))
      const log = await fixture.log(weakest, closed)
      await log.append(sampleRun(0, 1))
      await log.close()
      await (await fixture.log(weakest, cursorOnly)).saveCursor(1, { head: Uint8Array.of(1), pages: new Map() })
      assert.deepEqual(inOrder(await storage.listLogs()), inOrder([open, closed, cursorOnly]))
    })

    itIf(isDurable, DURABLE)('listLogs: still names them when the storage was opened again', async () => {
      const storage = await fixture.storage()
      const [kept, deleted] = [storage.takeLeases(1), storage.takeLeases(1)]
      for (const lease of [kept, deleted]) {
        const log = await fixture.log(strongest, lease)
        await log.append(sampleRun(0, 1))
        await log.close()
      }
      await storage.deleteLog(deleted)
      assert.deepEqual(await (await fixture.reopen()).listLogs(), [kept])
    })

    itIf(capabilities.fencing, 'fencing')('openLog: refuses an epoch below the last one', async () => {
      const storage = await fixture.storage()
      const lease = storage.takeLeases(1)
      for (const epoch of [1, 1, 3]) await (await storage.openLog(lease, { durability: strongest, epoch })).close()
      await assertFails('E_STORAGE_FENCED', () => storage.openLog(lease, { durability: strongest, epoch: 2 }))
    })
  })
}

const inOrder = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)

async function assertAllClosed(storage: Storage, durability: Durability): Promise<void> {
  await assertFails('E_STORAGE_CLOSED', () => storage.readCatalogue(''))
  await assertFails('E_STORAGE_CLOSED', () => storage.writeCatalogue([{ key: 'k', value: null }]))
  await assertFails('E_STORAGE_CLOSED', () => storage.takeLeases(1))
  await assertFails('E_STORAGE_CLOSED', () => storage.openLog(1, { durability, epoch: 0 }))
  await assertFails('E_STORAGE_CLOSED', () => storage.deleteLog(1))
  await assertFails('E_STORAGE_CLOSED', () => storage.listLogs())
}

export async function assertLogClosed(log: LogStore): Promise<void> {
  await assertFails('E_STORAGE_CLOSED', () => log.append(sampleRun(1_000, 1)))
  await assertFails('E_STORAGE_CLOSED', () => log.read(0, 1))
  await assertFails('E_STORAGE_CLOSED', () => log.readAttributes(0, 1))
  await assertFails('E_STORAGE_CLOSED', () => log.erase([{ first: 0, end: 1 }]))
  await assertFails('E_STORAGE_CLOSED', () => log.trim(0))
  await assertFails('E_STORAGE_CLOSED', () => log.saveCursor(1, { head: Uint8Array.of(1), pages: new Map() }))
  await assertFails('E_STORAGE_CLOSED', () => log.loadCursor(1))
  await assertFails('E_STORAGE_CLOSED', () => log.deleteCursor(1))
}
