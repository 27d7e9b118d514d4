import type { Chunk } from '../contracts/chunk.js'
import type { Sequence } from '../contracts/sequence.js'

/** `int32 size | int32 type | int64 timestamp | uint16 attempts | id[16]` */
const HEADER_SIZE_BYTES = 34
const TYPE_MESSAGE = 2

/** A message frame as it goes over the wire, made up from its sequence. */
export function sampleFrame(sequence: Sequence, body: string): Uint8Array {
  const bodySizeBytes = Buffer.byteLength(body)
  const frame = Buffer.alloc(HEADER_SIZE_BYTES + bodySizeBytes)
  frame.writeInt32BE(frame.length - 4, 0)
  frame.writeInt32BE(TYPE_MESSAGE, 4)
  frame.writeBigInt64BE(1_767_323_045_000_000_000n + BigInt(sequence), 8)
  frame.writeUInt16BE(1, 16)
  frame.write(sequence.toString(16).padStart(16, '0'), 18, 'latin1')
  frame.write(body, HEADER_SIZE_BYTES)
  return frame
}

/** A chunk with one record for each body. */
export function sampleChunk(first: Sequence, bodies: readonly string[], attributes: Uint8Array | null = null): Chunk {
  const frames = Buffer.concat(bodies.map((body, at) => sampleFrame(first + at, body)))
  return { first, count: bodies.length, frames, attributes }
}

/** A chunk of `count` records with short bodies that tell their sequences. */
export function sampleRun(first: Sequence, count: number): Chunk {
  return sampleChunk(
    first,
    Array.from({ length: count }, (_, at) => `record ${first + at}`),
  )
}

/** One record of a chunk. */
export interface SampleRecord {
  readonly sequence: Sequence
  /** The whole frame, in hexadecimal, so that a difference can be read. */
  readonly frame: string
}

/** The records of chunks, whichever way they are cut. Throws when a chunk does not hold the records that it says. */
export function recordsOf(chunks: readonly Chunk[]): readonly SampleRecord[] {
  const records: SampleRecord[] = []
  for (const { first, count, frames } of chunks) {
    const bytes = Buffer.from(frames.buffer, frames.byteOffset, frames.length)
    let at = 0
    for (let index = 0; index < count; index++) {
      if (at + 4 > bytes.length) throw new Error(`the chunk at ${first} says ${count} records and ends after ${index}`)
      const end = at + 4 + bytes.readInt32BE(at)
      records.push({ sequence: first + index, frame: bytes.toString('hex', at, end) })
      at = end
    }
    if (at !== bytes.length) throw new Error(`the chunk at ${first} has ${bytes.length - at} bytes behind its records`)
  }
  return records
}

export function sequencesOf(chunks: readonly Chunk[]): readonly Sequence[] {
  return recordsOf(chunks).map(({ sequence }) => sequence)
}

/** A small value as core hands it over: a view into a larger buffer, which must neither be kept whole nor read beyond its ends. */
export function sampleBytes(text: string): Uint8Array {
  const padded = new Uint8Array(Buffer.from(`<<<${text}>>>`))
  return padded.subarray(3, padded.length - 3)
}
