import { type Chunk, type SequenceRange, sliceAttributes } from '@spillway/core'
import { without } from './ranges.js'
import { offsetsOf } from './record-offsets.js'
import type { Piece } from './stretch-codec.js'

/** Gathers what one value in RocksDB will hold: pieces of chunks, without what was erased. */
export class StretchBuilder {
  readonly pieces: Piece[] = []
  readonly #buffers: Uint8Array[] = []
  framesBytes = 0
  count = 0

  get isEmpty(): boolean {
    return this.pieces.length === 0
  }

  /** Adds the records of a chunk that are not in `erased` (ascending). The buffers are kept until {@link frames}. */
  add(chunk: Chunk, erased: readonly SequenceRange[]): void {
    const end = chunk.first + chunk.count
    const kept = without(erased, chunk.first, end)
    if (kept.length === 1 && kept[0].first === chunk.first && kept[0].end === end) {
      this.#addPiece(chunk)
      return
    }
    if (kept.length === 0) return
    const offsets = offsetsOf(chunk)
    for (const { first, end: keptEnd } of kept) {
      const from = first - chunk.first
      const to = keptEnd - chunk.first
      this.#addPiece({
        first,
        count: to - from,
        frames: chunk.frames.subarray(offsets[from], offsets[to]),
        attributes: chunk.attributes === null ? null : sliceAttributes(chunk.attributes, from, to),
      })
    }
  }

  #addPiece({ first, count, frames, attributes }: Chunk): void {
    this.#buffers.push(frames)
    this.framesBytes += frames.length
    this.count += count
    const last = this.pieces.at(-1)
    if (last !== undefined && last.attributes === null && attributes === null && last.first + last.count === first) {
      const framesBytes = last.framesBytes + frames.length
      this.pieces[this.pieces.length - 1] = { first: last.first, count: last.count + count, framesBytes, attributes }
    } else {
      this.pieces.push({ first, count, framesBytes: frames.length, attributes })
    }
  }

  /** All frames back to back; without a copy when they lie in one piece anyway. */
  frames(): Uint8Array {
    return this.#buffers.length === 1 ? this.#buffers[0] : Buffer.concat(this.#buffers)
  }
}
