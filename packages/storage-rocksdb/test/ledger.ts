import assert from 'node:assert/strict'
import type { Durability, Lease, LogStore, Sequence, SequenceRange, Storage } from '@spillway/core'
import { addRange } from '../src/ranges.js'
import { includes, readWhole } from './sample-log.js'

/** What was asked of a storage, and what it said was done. */
export type LedgerEvent =
  | readonly ['create', Lease, Durability]
  | readonly ['append', Lease, Sequence, number]
  | readonly ['appended', Lease, Sequence]
  | readonly ['trim' | 'trimmed', Lease, Sequence]
  | readonly ['erase', Lease, Sequence, Sequence]
  | readonly ['save' | 'saved', Lease, Lease, number]
  | readonly ['forget' | 'forgotten', Lease, Lease]
  | readonly ['delete' | 'deleted', Lease]

interface CursorNote {
  /** The last version that was asked for. */
  asked: number
  /** The last one that was said to be saved. */
  saved: number
  isForgetAsked: boolean
  isForgotten: boolean
}

interface LogNote {
  readonly durability: Durability
  readonly appends: SequenceRange[]
  /** One past the last record that was said to be safe. */
  safeEnd: Sequence
  trimAsked: Sequence
  trimmed: Sequence
  readonly erased: SequenceRange[]
  readonly cursors: Map<Lease, CursorNote>
  isDeleteAsked: boolean
  isDeleted: boolean
}

/** Judges what a storage has by what it was asked for and what it promised. */
export class Ledger {
  readonly logs = new Map<Lease, LogNote>()

  note(event: LedgerEvent): void {
    if (event[0] === 'create') {
      this.logs.set(event[1], {
        durability: event[2],
        appends: [],
        safeEnd: 0,
        trimAsked: 0,
        trimmed: 0,
        erased: [],
        cursors: new Map(),
        isDeleteAsked: false,
        isDeleted: false,
      })
      return
    }
    const log = this.logs.get(event[1]) as LogNote
    if (event[0] === 'append') log.appends.push({ first: event[2], end: event[2] + event[3] })
    else if (event[0] === 'appended') log.safeEnd = event[2]
    else if (event[0] === 'trim') log.trimAsked = Math.max(log.trimAsked, event[2])
    else if (event[0] === 'trimmed') log.trimmed = Math.max(log.trimmed, event[2])
    else if (event[0] === 'erase') addRange(log.erased, { first: event[2], end: event[3] })
    else if (event[0] === 'delete') log.isDeleteAsked = true
    else if (event[0] === 'deleted') log.isDeleted = true
    else noteCursor(log, event)
  }

  /** After a clean close only what was kept without any promise is known, too. */
  async check(storage: Storage, wasClosed: boolean): Promise<Map<Lease, LogStore>> {
    const stores = new Map<Lease, LogStore>()
    const listed = await storage.listLogs()
    for (const [lease, log] of this.logs) {
      if (log.isDeleted) assert(!listed.includes(lease), `log ${lease} was deleted, and is there`)
      if (log.isDeleteAsked) continue
      const store = await storage.openLog(lease, { durability: log.durability, epoch: 0 })
      stores.set(lease, store)
      await this.#checkLog(lease, log, store, wasClosed || log.durability !== 'none')
    }
    return stores
  }

  async #checkLog(lease: Lease, log: LogNote, store: LogStore, isPromised: boolean): Promise<void> {
    assert(store.first >= log.trimmed && store.first <= log.trimAsked, `log ${lease} begins at ${store.first}`)
    const found = await readWhole(lease, store, store.first)
    const isThere = new Set(found)
    for (const sequence of found)
      assert(includes(log.appends, sequence), `${sequence} of log ${lease} was never written`)
    if (isPromised) {
      for (const { first, end } of log.appends) {
        for (let sequence = Math.max(first, log.trimAsked); sequence < Math.min(end, log.safeEnd); sequence++) {
          const isMissing = !isThere.has(sequence) && !includes(log.erased, sequence)
          assert(!isMissing, `record ${sequence} of log ${lease} was safe, and is gone`)
        }
      }
    }
    for (const [channel, cursor] of log.cursors) await checkCursor(lease, channel, cursor, store)
  }
}

function noteCursor(log: LogNote, event: LedgerEvent): void {
  const channel = event[2] as Lease
  let cursor = log.cursors.get(channel)
  if (cursor === undefined) {
    cursor = { asked: -1, saved: -1, isForgetAsked: false, isForgotten: false }
    log.cursors.set(channel, cursor)
  }
  if (event[0] === 'save') cursor.asked = event[3]
  else if (event[0] === 'saved') cursor.saved = event[3]
  else if (event[0] === 'forget') cursor.isForgetAsked = true
  else cursor.isForgotten = true
}

export function headAt(log: Lease, channel: Lease, version: number): Buffer {
  return Buffer.from(`${log}/${channel}/${version}`)
}

const PAGES = 5

/** Each version writes one page, or forgets it. */
export function pageAt(version: number): readonly [number, Uint8Array | null] {
  return [version % PAGES, version % 3 === 0 ? null : Buffer.from(`page of ${version}`.repeat(1 + (version % 40)))]
}

async function checkCursor(lease: Lease, channel: Lease, cursor: CursorNote, store: LogStore): Promise<void> {
  const saved = await store.loadCursor(channel)
  const name = `cursor ${channel} of log ${lease}`
  if (saved === null) {
    assert(cursor.isForgetAsked || cursor.saved === -1, `${name} is gone`)
    return
  }
  assert(!cursor.isForgotten, `${name} was forgotten, and is there`)
  const version = Number(Buffer.from(saved.head).toString().split('/')[2])
  assert.deepEqual(Buffer.from(saved.head), headAt(lease, channel, version))
  assert(
    version >= cursor.saved && version <= cursor.asked,
    `${name} has version ${version}, saved was ${cursor.saved}`,
  )
  const expected = new Map<number, Uint8Array>()
  for (let each = Math.max(0, version - PAGES + 1); each <= version; each++) {
    const [page, value] = pageAt(each)
    if (value !== null) expected.set(page, value)
  }
  const found = [...saved.pages].map(([page, value]) => [page, Buffer.from(value)] as const)
  assert.deepEqual(new Map(found), expected, name)
}
