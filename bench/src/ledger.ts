import { buildBody, FILLER_AT, SERIAL_AT, TAIL_SIZE_BYTES } from './body.js'

/** What became of the messages of one run. A run is good when nothing was lost, corrupted or delivered twice for no reason. */
export interface Verification {
  readonly expectedCount: number
  readonly receivedCount: number
  readonly lostCount: number
  readonly corruptCount: number
  /** Came again although it was received already, and the broker had not counted a second attempt. */
  readonly duplicateCount: number
  /** Came again with `attempts` above 1, a timeout or a requeue, which NSQ allows; or after a crash. */
  readonly redeliveredCount: number
}

/** Every how many messages the whole filler is compared; the others are checked at both ends. */
const FULL_CHECK_EVERY = 16

/** Ticks off the messages of one channel by serial number, one bit each. */
export class Ledger {
  readonly #template: Buffer
  readonly #tag: number
  readonly #seen: Uint8Array
  readonly #expectedCount: number
  receivedCount = 0
  corruptCount = 0
  duplicateCount = 0
  redeliveredCount = 0
  #crashed = false

  constructor(expectedCount: number, tag: number, bodySizeBytes: number) {
    this.#expectedCount = expectedCount
    this.#tag = tag | 0
    this.#template = buildBody(tag, bodySizeBytes)
    this.#seen = new Uint8Array((expectedCount >> 3) + 1)
  }

  /** From now on messages may come again whose FIN the broker took, but had not stored. */
  crashed(): void {
    this.#crashed = true
  }

  get complete(): boolean {
    return this.receivedCount >= this.#expectedCount
  }

  /**
   * Checks one body. Returns its serial number when it is intact and new, else -1.
   * `bytes` and `view` are the same memory: the one is faster to compare, the other to read numbers from.
   */
  record(bytes: Buffer, view: DataView, at: number, sizeBytes: number, attempts: number): number {
    const template = this.#template
    if (sizeBytes !== template.length || view.getInt32(at) !== this.#tag) return this.#corrupt()
    const serial = view.getInt32(at + SERIAL_AT)
    if (serial < 0 || serial >= this.#expectedCount) return this.#corrupt()
    const tailAt = sizeBytes - TAIL_SIZE_BYTES
    if (view.getInt32(at + tailAt) !== ~serial) return this.#corrupt()
    if (
      serial % FULL_CHECK_EVERY === 0 &&
      bytes.compare(template, FILLER_AT, tailAt, at + FILLER_AT, at + tailAt) !== 0
    )
      return this.#corrupt()
    const bit = 1 << (serial & 7)
    if ((this.#seen[serial >> 3] & bit) !== 0) {
      if (attempts > 1 || this.#crashed) this.redeliveredCount++
      else this.duplicateCount++
      return -1
    }
    this.#seen[serial >> 3] |= bit
    this.receivedCount++
    return serial
  }

  result(): Verification {
    return {
      expectedCount: this.#expectedCount,
      receivedCount: this.receivedCount,
      lostCount: this.#expectedCount - this.receivedCount,
      corruptCount: this.corruptCount,
      duplicateCount: this.duplicateCount,
      redeliveredCount: this.redeliveredCount,
    }
  }

  #corrupt(): number {
    this.corruptCount++
    return -1
  }
}

/** The verifications of several channels or topics as one. */
export function addUp(verifications: readonly Verification[]): Verification {
  const sum = (field: keyof Verification) => verifications.reduce((total, one) => total + one[field], 0)
  return {
    expectedCount: sum('expectedCount'),
    receivedCount: sum('receivedCount'),
    lostCount: sum('lostCount'),
    corruptCount: sum('corruptCount'),
    duplicateCount: sum('duplicateCount'),
    redeliveredCount: sum('redeliveredCount'),
  }
}

/** What is wrong with a run, in words; `null` when nothing is. */
export function complaintOf(verification: Verification): string | null {
  const { lostCount, corruptCount, duplicateCount, expectedCount } = verification
  if (lostCount === 0 && corruptCount === 0 && duplicateCount === 0) return null
  return `of ${expectedCount} messages ${lostCount} lost, ${corruptCount} corrupt, ${duplicateCount} delivered twice`
}
