import assert from 'node:assert/strict'
import type { CursorUpdate, SavedCursor } from '../contracts/log-store.js'
import type { Durability } from '../contracts/storage.js'
import { sampleBytes } from './sample-records.js'
import { DURABLE, itIf, type StorageFixture } from './storage-fixture.js'

function update(head: string, pages: Record<number, string | null> = {}): CursorUpdate {
  const entries = Object.entries(pages).map(
    ([number, page]) => [Number(number), page === null ? null : sampleBytes(page)] as const,
  )
  return { head: sampleBytes(head), pages: new Map(entries) }
}

/** As text and with pages in order, so that a difference can be read. */
function textOf(cursor: SavedCursor | null): unknown {
  if (cursor === null) return null
  const pages = [...cursor.pages].sort(([a], [b]) => a - b)
  return [
    Buffer.from(cursor.head).toString(),
    Object.fromEntries(pages.map(([n, page]) => [n, Buffer.from(page).toString()])),
  ]
}

export function testCursors(fixture: StorageFixture, durability: Durability): void {
  it('loadCursor: is null where none was saved', async () => {
    assert.equal(await (await fixture.log(durability)).loadCursor(1), null)
  })

  it('saveCursor: replaces the head and the named pages, forgets those that are null, keeps the others', async () => {
    const log = await fixture.log(durability)
    await log.saveCursor(1, update('h1', { 0: 'a', 1: 'b', 7: 'c' }))
    assert.deepEqual(textOf(await log.loadCursor(1)), ['h1', { 0: 'a', 1: 'b', 7: 'c' }])
    await log.saveCursor(1, update('h2', { 1: 'B', 7: null, 9: null, [2 ** 40]: 'd' }))
    assert.deepEqual(textOf(await log.loadCursor(1)), ['h2', { 0: 'a', 1: 'B', [2 ** 40]: 'd' }])
    await log.saveCursor(1, update('h3'))
    assert.deepEqual(textOf(await log.loadCursor(1)), ['h3', { 0: 'a', 1: 'B', [2 ** 40]: 'd' }])
  })

  it('saveCursor: overlapping saves of a channel take effect in call order', async () => {
    const log = await fixture.log(durability)
    const saves: unknown[] = []
    for (let count = 0; count < 50; count++) {
      saves.push(log.saveCursor(1, update(`h${count}`, { [count]: `p${count}`, [count - 2]: null, 1000: `${count}` })))
    }
    const loaded = log.loadCursor(1)
    await Promise.all(saves)
    const wanted = ['h49', { 48: 'p48', 49: 'p49', 1000: '49' }]
    assert.deepEqual(textOf(await loaded), wanted)
    assert.deepEqual(textOf(await log.loadCursor(1)), wanted)
  })

  it('saveCursor: holds many pages', async () => {
    const log = await fixture.log(durability)
    const pages = new Map(Array.from({ length: 1_000 }, (_, number) => [number, new Uint8Array(512).fill(number)]))
    await log.saveCursor(1, { head: new Uint8Array(64), pages })
    const saved = await log.loadCursor(1)
    assert.equal(saved?.pages.size, 1_000)
    for (const [number, page] of pages) {
      assert.equal(Buffer.compare(saved?.pages.get(number) as Uint8Array, page), 0, `page ${number}`)
    }
  })

  it('keeps the cursors of channels and of logs apart', async () => {
    const logs = [await fixture.log(durability), await fixture.log(durability)]
    for (const [at, log] of logs.entries()) {
      for (const channel of [1, 2, 12]) await log.saveCursor(channel, update(`${at}/${channel}`, { 1: `${channel}` }))
    }
    await logs[0].deleteCursor(1)
    assert.equal(await logs[0].loadCursor(1), null)
    assert.deepEqual(textOf(await logs[0].loadCursor(12)), ['0/12', { 1: '12' }])
    assert.deepEqual(textOf(await logs[1].loadCursor(1)), ['1/1', { 1: '1' }])
  })

  it('deleteCursor: forgets head and pages, and may be repeated', async () => {
    const log = await fixture.log(durability)
    await log.saveCursor(1, update('old', { 3: 'old' }))
    await log.deleteCursor(1)
    await log.deleteCursor(1)
    await log.deleteCursor(2)
    assert.equal(await log.loadCursor(1), null)
    await log.saveCursor(1, update('new', { 4: 'new' }))
    assert.deepEqual(textOf(await log.loadCursor(1)), ['new', { 4: 'new' }])
  })

  it('cursors are there again when the log was opened again', async () => {
    const lease = (await fixture.storage()).takeLeases(1)
    await assertCursorsReopen(fixture, durability, lease, async () => {})
  })

  itIf(durability !== 'none', DURABLE)('cursors are there again when the storage was opened again', async () => {
    const lease = (await fixture.storage()).takeLeases(1)
    await assertCursorsReopen(fixture, durability, lease, async () => void (await fixture.reopen()))
  })
}

async function assertCursorsReopen(
  fixture: StorageFixture,
  durability: Durability,
  lease: number,
  between: () => Promise<void>,
): Promise<void> {
  let log = await fixture.log(durability, lease)
  await log.saveCursor(1, update('a', { 0: 'a', 1: 'a' }))
  await log.saveCursor(1, update('b', { 0: null, 1: 'b', 2: 'b' }))
  await log.saveCursor(2, update('c', { 0: 'c' }))
  await log.saveCursor(3, update('d'))
  await log.deleteCursor(2)
  for (let times = 0; times < 2; times++) {
    await log.close()
    await between()
    log = await fixture.log(durability, lease)
    assert.deepEqual(textOf(await log.loadCursor(1)), ['b', { 1: 'b', 2: 'b' }])
    assert.equal(await log.loadCursor(2), null)
    assert.deepEqual(textOf(await log.loadCursor(3)), ['d', {}])
  }
}
