import type { IdLease, Lease, Sequence } from '@spillway/core'
import type { Database } from '../database.js'
import { dataKey } from '../keys.js'
import { encodeStretchEntry, type Piece } from '../stretch-codec.js'

/** `int32 size | int32 type = 2 | int64 timestamp | uint16 attempts | id[16] | body` */
const TYPE_MESSAGE = 2
const TYPE_AT = 4
const ID_AT = 18
const HEADER_BYTES = 34
const LEASE_RECORDS = 2 ** 32

export interface RebuiltIndex {
  readonly first: Sequence
  readonly end: Sequence
  readonly pieces: readonly Piece[]
  readonly entry: Buffer
}

/**
 * Makes an index entry from the frames that it is about: each has an id, which tells its place in the log. Side tables are lost. Null when
 * the frames do not make sense either.
 * @throws BrokerError when they cannot be read
 */
export async function rebuildIndexEntry(
  database: Database,
  log: Lease,
  leases: readonly IdLease[],
  first: Sequence,
): Promise<RebuiltIndex | null> {
  const frames = await database.get(dataKey(log, first))
  if (frames === null || frames.length === 0) return null
  const pieces: { first: Sequence; count: number; framesBytes: number; attributes: null }[] = []
  let next: Sequence = first
  for (let at = 0; at < frames.length; ) {
    const sequence = sequenceAt(frames, at, leases)
    if (sequence === null || sequence < next || (at === 0 && sequence !== first)) return null
    const framesBytes = 4 + frames.readInt32BE(at)
    const last = pieces.at(-1)
    if (last !== undefined && sequence === next) {
      last.count++
      last.framesBytes += framesBytes
    } else {
      pieces.push({ first: sequence, count: 1, framesBytes, attributes: null })
    }
    next = sequence + 1
    at += framesBytes
  }
  return { first, end: next, pieces, entry: encodeStretchEntry(log, frames, pieces, next) }
}

/** The place in the log of the frame at `at`; null when there is none. */
function sequenceAt(frames: Buffer, at: number, leases: readonly IdLease[]): Sequence | null {
  if (at + HEADER_BYTES > frames.length || frames.readInt32BE(at + TYPE_AT) !== TYPE_MESSAGE) return null
  const end = at + 4 + frames.readInt32BE(at)
  if (end < at + HEADER_BYTES || end > frames.length) return null
  const id = frames.toString('latin1', at + ID_AT, at + HEADER_BYTES)
  if (!/^[0-9a-f]{16}$/.test(id)) return null
  const given = leases.find(({ lease }) => lease === Number.parseInt(id.slice(0, 8), 16))
  const offset = Number.parseInt(id.slice(8), 16)
  return given === undefined || offset >= LEASE_RECORDS ? null : given.first + offset
}
