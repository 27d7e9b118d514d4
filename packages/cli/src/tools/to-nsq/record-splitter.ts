/** A record that goes on for longer than it may; what has been gathered of it is let go. */
export class RecordTooLongError extends Error {
  override readonly name = 'RecordTooLongError'
  /** Counted from 1, empty ones not. */
  readonly recordNumber: number

  constructor(recordNumber: number, recordSizeBytesMax: number) {
    super(`record ${recordNumber} is longer than ${recordSizeBytesMax} bytes`)
    this.recordNumber = recordNumber
  }
}

/**
 * Cuts a stream of chunks into records at a byte. Empty records are none. A record that lies within one chunk is a slice of
 * it; only one that spans several is copied.
 */
export class RecordSplitter {
  readonly #delimiter: number
  readonly #sizeBytesMax: number
  /** The record that has begun and not ended. */
  #pieces: Buffer[] = []
  #piecesBytes = 0
  #recordCount = 0

  /** @param recordSizeBytesMax - so much of a record is gathered at most */
  constructor(delimiter: number, recordSizeBytesMax: number) {
    this.#delimiter = delimiter
    this.#sizeBytesMax = recordSizeBytesMax
  }

  /** The records that end in `chunk`. @throws RecordTooLongError, after the records that stand before it */
  *split(chunk: Buffer): Generator<Buffer> {
    let at = 0
    while (at < chunk.length) {
      const end = chunk.indexOf(this.#delimiter, at)
      const piece = chunk.subarray(at, end === -1 ? chunk.length : end)
      if (this.#piecesBytes + piece.length > this.#sizeBytesMax) {
        this.#pieces = []
        throw new RecordTooLongError(this.#recordCount + 1, this.#sizeBytesMax)
      }
      at += piece.length + 1
      if (end === -1) this.#keep(piece)
      else {
        const record = this.#complete(piece)
        if (record !== null) yield record
      }
    }
  }

  /** What stands behind the last delimiter; null when that is nothing. */
  end(): Buffer | null {
    return this.#complete(Buffer.alloc(0))
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#piecesBytes += piece.length
  }

  #complete(piece: Buffer): Buffer | null {
    const record = this.#piecesBytes === 0 ? piece : Buffer.concat([...this.#pieces, piece])
    if (this.#piecesBytes > 0) {
      this.#pieces = []
      this.#piecesBytes = 0
    }
    if (record.length === 0) return null
    this.#recordCount++
    return record
  }
}
