import assert from 'node:assert/strict'
import type { CatalogueWrite } from '../contracts/storage.js'
import { sampleBytes } from './sample-records.js'
import { DURABLE, itIf, type StorageFixture } from './storage-fixture.js'
import type { StorageSuite } from './storage-suite.js'

const writesOf = (entries: Record<string, string | null>): CatalogueWrite[] =>
  Object.entries(entries).map(([key, value]) => ({ key, value: value === null ? null : sampleBytes(value) }))

/** As text and in order, so that a difference can be read. */
const textOf = (entries: ReadonlyMap<string, Uint8Array>) =>
  [...entries].map(([key, value]) => [key, Buffer.from(value).toString()])

export function testCatalogue({ capabilities }: StorageSuite, fixture: StorageFixture): void {
  const isDurable = capabilities.durabilities.some((durability) => durability !== 'none')

  describe('the catalogue', () => {
    it('is empty at first', async () => {
      assert.equal((await (await fixture.storage()).readCatalogue('')).size, 0)
    })

    it('gives back the entries whose key starts with the prefix, and no others', async () => {
      const storage = await fixture.storage()
      await storage.writeCatalogue(
        writesOf({ 'topic/b': '1', 'topic/a': '2', 'my topic/c': '6', topic: '3', topic0: '4', Topic: '5' }),
      )
      assert.deepEqual(textOf(await storage.readCatalogue('topic/')), [
        ['topic/a', '2'],
        ['topic/b', '1'],
      ])
      assert.deepEqual(textOf(await storage.readCatalogue('none')), [])
      assert.equal((await storage.readCatalogue('')).size, 6)
    })

    it('takes a prefix as it is, whatever its characters mean elsewhere', async () => {
      const storage = await fixture.storage()
      await storage.writeCatalogue(writesOf({ 'a%b': '1', a_b: '2', 'a.b': '3', 'a/../b': '4', axb: '5', 'a\\b': '6' }))
      for (const [prefix, value] of [
        ['a%', '1'],
        ['a_', '2'],
        ['a.', '3'],
        ['a/../', '4'],
        ['a\\', '6'],
      ]) {
        const found = textOf(await storage.readCatalogue(prefix))
        assert.deepEqual(
          found.map(([, text]) => text),
          [value],
          `prefix ${prefix}`,
        )
      }
    })

    it('is ordered by UTF-16 code units', async () => {
      const storage = await fixture.storage()
      const ordered = ['', 'B', 'a', 'a#ephemeral', 'a0', 'aa', 'é', '\u{1f600}', '\uffe5'].map((name) => `k/${name}`)
      await storage.writeCatalogue([...ordered].reverse().map((key) => ({ key, value: sampleBytes(key) })))
      assert.deepEqual([...(await storage.readCatalogue('k/')).keys()], ordered)
    })

    it('replaces and forgets entries, also such as are not there', async () => {
      const storage = await fixture.storage()
      await storage.writeCatalogue(writesOf({ a: '1', b: '1', c: '1' }))
      await storage.writeCatalogue(writesOf({ a: '2', b: null, d: null, e: '2' }))
      await storage.writeCatalogue([])
      assert.deepEqual(textOf(await storage.readCatalogue('')), [
        ['a', '2'],
        ['c', '1'],
        ['e', '2'],
      ])
    })

    it('takes overlapping writes in call order', async () => {
      const storage = await fixture.storage()
      const writes: unknown[] = []
      for (let count = 0; count < 50; count++) {
        writes.push(storage.writeCatalogue(writesOf({ last: `${count}`, [`n${count}`]: '', [`n${count - 1}`]: null })))
      }
      await Promise.all(writes)
      assert.deepEqual(textOf(await storage.readCatalogue('')), [
        ['last', '49'],
        ['n49', ''],
      ])
    })

    it('takes keys of 256 bytes and values of 1 MiB, and leaves the buffers alone', async () => {
      const storage = await fixture.storage()
      const key = `${'k'.repeat(252)}\u{1f600}`
      const value = new Uint8Array(1024 * 1024).map((_, at) => at * 7)
      const copy = value.slice()
      await storage.writeCatalogue([{ key, value }])
      const found = (await storage.readCatalogue(key)).get(key)
      assert.ok(found !== undefined && Buffer.compare(found, copy) === 0)
      assert.equal(Buffer.compare(value, copy), 0)
    })

    itIf(isDurable, DURABLE)('is there again when the storage was opened again', async () => {
      const storage = await fixture.storage()
      for (const entries of [{ a: '1', b: '1' }, { b: '2', c: '2' }, { a: null }]) {
        await storage.writeCatalogue(writesOf(entries))
      }
      assert.deepEqual(textOf(await (await fixture.reopen()).readCatalogue('')), [
        ['b', '2'],
        ['c', '2'],
      ])
    })
  })
}
