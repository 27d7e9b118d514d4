import assert from 'node:assert/strict'
import type { Chunk, Lease, LogStore, Sequence, SequenceRange } from '@spillway/core'
import { sliceAttributes } from '@spillway/core'
import { sampleFrame } from '@spillway/core/testing'

/** The frame of a record tells its log and its sequence, and has a size that depends on both. */
export function frameOf(log: Lease, sequence: Sequence): Uint8Array {
  const mixed = Math.imul(sequence + 1, 0x9e3779b1) ^ Math.imul(log, 0x85ebca6b)
  const sizeBytes = (mixed >>> 8) % 64 === 0 ? (mixed >>> 3) % 40_000 : (mixed >>> 5) % 300
  return sampleFrame(sequence, `${log}/${sequence} `.padEnd(sizeBytes, String(mixed)))
}

/** Every seventh record has a due time. */
function dueOf(sequence: Sequence): number | null {
  return sequence % 7 === 0 ? 1_700_000_000_000 + sequence : null
}

/** Null when none of them has a due time. */
function attributesOf(first: Sequence, count: number): Uint8Array | null {
  const entries: Buffer[] = []
  for (let index = 0; index < count; index++) {
    const due = dueOf(first + index)
    if (due === null) continue
    const entry = Buffer.alloc(17)
    entry.writeUInt32BE(index, 0)
    entry[4] = 1
    entry.writeUInt32BE(8, 5)
    entry.writeDoubleBE(due, 9)
    entries.push(entry)
  }
  return entries.length === 0 ? null : Buffer.concat([Buffer.from([1]), ...entries])
}

/** The only chunk that can stand at this place. */
export function chunkAt(log: Lease, first: Sequence, count: number): Chunk {
  const frames = Buffer.concat(Array.from({ length: count }, (_, index) => frameOf(log, first + index)))
  return { first, count, frames, attributes: attributesOf(first, count) }
}

/** Reads a log from `from` to its end. Every record must be as it was written, and above the one before it. */
export async function readWhole(
  log: Lease,
  store: LogStore,
  from: Sequence,
  sizeBytesMax = 300_000,
): Promise<Sequence[]> {
  const found: Sequence[] = []
  let at = from
  for (;;) {
    const chunks = await store.read(at, sizeBytesMax)
    if (chunks.length === 0) break
    for (const chunk of chunks) {
      checkChunk(log, chunk)
      assert(chunk.first + chunk.count > at, `read from ${at} gave the chunk at ${chunk.first}`)
      for (let index = 0; index < chunk.count; index++) {
        const sequence = chunk.first + index
        if (sequence < from) continue
        assert(found.length === 0 || sequence > found[found.length - 1], `${sequence} after ${found.at(-1)}`)
        found.push(sequence)
      }
      at = chunk.first + chunk.count
    }
  }
  return found
}

function checkChunk(log: Lease, { first, count, frames, attributes }: Chunk): void {
  let at = 0
  for (let index = 0; index < count; index++) {
    const frame = frameOf(log, first + index)
    const found = frames.subarray(at, at + frame.length)
    assert(Buffer.compare(found, frame) === 0, `record ${first + index} of log ${log} is not what was written`)
    at += frame.length
    const own = attributes === null ? null : sliceAttributes(attributes, index, index + 1)
    assert.deepEqual(own === null ? null : Buffer.from(own), attributesOf(first + index, 1), `due of ${first + index}`)
  }
  assert.equal(at, frames.length)
}

/** Sets of sequences as ranges. */
export function includes(ranges: readonly SequenceRange[], sequence: Sequence): boolean {
  return ranges.some(({ first, end }) => sequence >= first && sequence < end)
}
