/** Up to here a body gets its whole room at once; beyond it the room grows with what has really arrived. */
const ROOM_SIZE_BYTES_FIRST = 64 * 1024
const NO_BYTES = Buffer.alloc(0)

/** Counts bytes held for a body to the node's memory (above 0), or gives them back (below 0). */
export type ChargeMemory = (sizeBytes: number) => void

/**
 * Gathers a body that does not arrive in one read. A peer that declares 5 MB and sends none of them holds 64 KiB here.
 */
export class BodyBuffer {
  bytes: Buffer = NO_BYTES
  haveBytes = 0
  #needBytes = 0
  readonly #charge: ChargeMemory

  constructor(charge: ChargeMemory) {
    this.#charge = charge
  }

  get isWhole(): boolean {
    return this.haveBytes === this.#needBytes
  }

  /** Makes room for a body of `needBytes`, at least 1. */
  begin(needBytes: number): void {
    this.#needBytes = needBytes
    this.haveBytes = 0
    this.#resize(Math.min(needBytes, ROOM_SIZE_BYTES_FIRST))
  }

  /** Whether `sizeBytes` more, as far as they belong to the body, need more room than there is. */
  outgrows(sizeBytes: number): boolean {
    return Math.min(this.#needBytes, this.haveBytes + sizeBytes) > this.bytes.length
  }

  /** Copies as much of `chunk[start, end)` as the body still needs; returns where it stopped. */
  append(chunk: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#needBytes - this.haveBytes)
    let at = start
    while (at < stop) {
      if (this.haveBytes === this.bytes.length) this.#resize(Math.min(this.#needBytes, 2 * this.bytes.length))
      const copiedBytes = chunk.copy(this.bytes, this.haveBytes, at, stop)
      this.haveBytes += copiedBytes
      at += copiedBytes
    }
    return stop
  }

  /** Lets go of the room. */
  release(): void {
    if (this.bytes.length > 0) this.#charge(-this.bytes.length)
    this.bytes = NO_BYTES
    this.haveBytes = 0
    this.#needBytes = 0
  }

  #resize(roomBytes: number): void {
    // Small rooms come from Node's pool; a large one in the pool's slab would keep all of it alive.
    const room = roomBytes < Buffer.poolSize / 2 ? Buffer.allocUnsafe(roomBytes) : Buffer.allocUnsafeSlow(roomBytes)
    this.bytes.copy(room, 0, 0, this.haveBytes)
    this.#charge(roomBytes - this.bytes.length)
    this.bytes = room
  }
}
