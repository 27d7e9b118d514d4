import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { SnappyDecoder, SnappyEncoder, type SnappyLibrary, snappyLibrary } from '@spillway/snappy'

/** A client's end of a compressed stream. */
export interface StreamCodec {
  encode(bytes: Buffer): Buffer
  /** @returns what the bytes that have come so far say beyond what was returned before */
  decode(bytes: Buffer): Buffer
}

export type Compression = 'deflate' | 'snappy'

export const makeCodec = (kind: Compression): StreamCodec => (kind === 'deflate' ? new Deflate() : new Snappy())

const SYNC = { finishFlush: constants.Z_SYNC_FLUSH }

/** Blocks that refer to nothing before them, so that each write stands alone. What comes in does refer back: it is kept. */
class Deflate implements StreamCodec {
  #received: Buffer = Buffer.alloc(0)
  #decodedBytes = 0

  encode(bytes: Buffer): Buffer {
    return deflateRawSync(bytes, SYNC)
  }

  decode(bytes: Buffer): Buffer {
    this.#received = Buffer.concat([this.#received, bytes])
    const decoded = inflateRawSync(this.#received, SYNC)
    const fresh = decoded.subarray(this.#decodedBytes)
    this.#decodedBytes = decoded.length
    return fresh
  }
}

class Snappy implements StreamCodec {
  readonly #encoder = new SnappyEncoder(snappyLibrary() as SnappyLibrary)
  readonly #decoder = new SnappyDecoder(snappyLibrary() as SnappyLibrary, (bytes) => this.#parts.push(bytes))
  readonly #parts: Buffer[] = []

  encode(bytes: Buffer): Buffer {
    return this.#encoder.encode(bytes)
  }

  decode(bytes: Buffer): Buffer {
    this.#decoder.decode(bytes)
    return Buffer.concat(this.#parts.splice(0))
  }
}
