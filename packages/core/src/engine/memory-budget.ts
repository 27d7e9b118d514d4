const SHORT_SHARE = 0.75

/** The bytes that a node may hold in slabs, bodies being read and buffers. Above it publishes are refused. */
export class MemoryBudget {
  readonly sizeBytesMax: number
  #usedBytes = 0
  /** Asked for `sizeBytes` when they do not fit: frees what can be read back later. */
  readonly #reclaim: (sizeBytes: number) => void

  constructor(sizeBytesMax: number, reclaim: (sizeBytes: number) => void) {
    this.sizeBytesMax = sizeBytesMax
    this.#reclaim = reclaim
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Nearly full: who may drop messages does. */
  get isShort(): boolean {
    return this.#usedBytes >= this.sizeBytesMax * SHORT_SHARE
  }

  get isFull(): boolean {
    return this.#usedBytes >= this.sizeBytesMax
  }

  /** Whether `sizeBytes` more fit, once whatever can be freed is freed. */
  hasRoom(sizeBytes: number): boolean {
    if (this.#usedBytes + sizeBytes <= this.sizeBytesMax) return true
    this.#reclaim(this.#usedBytes + sizeBytes - this.sizeBytesMax)
    return this.#usedBytes + sizeBytes <= this.sizeBytesMax
  }

  /** Counts `sizeBytes` as used, or as free again when below 0. */
  charge(sizeBytes: number): void {
    this.#usedBytes += sizeBytes
  }
}
