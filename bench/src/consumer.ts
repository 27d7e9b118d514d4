import { SENT_AT_AT } from './body.js'
import { type Connection, FRAME_MESSAGE, input, inputView, type Receiver, readReply } from './connection.js'
import type { Ledger } from './ledger.js'

/** int32 size, int32 type, int64 timestamp, uint16 attempts, 16-byte id: what comes before a body. */
const ATTEMPTS_AT = 16
const ID_AT = 18
const BODY_AT = 34

/** `FIN ` + id + newline. */
const FIN_SIZE_BYTES = 21
const FINS_PER_BATCH = 1024

/** A write buffer of FINs laid out once: only the ids are filled in. */
interface FinBatch {
  readonly bytes: Buffer
  readonly view: DataView
  readonly release: () => void
}

/** Batches that no socket is sending, shared by all consumers. */
const freeBatches: FinBatch[] = []

function takeBatch(): FinBatch {
  const free = freeBatches.pop()
  if (free !== undefined) return free
  const bytes = Buffer.from(`FIN ${' '.repeat(16)}\n`.repeat(FINS_PER_BATCH), 'latin1')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const batch: FinBatch = { bytes, view, release: () => freeBatches.push(batch) }
  return batch
}

/** Is told how long each new message took. */
export interface LatencySink {
  record(serial: number, latencyMs: number, attempts: number): void
}

/** Receives, checks and finishes messages; the FINs of what one read brought go out as one write. */
export class Consumer implements Receiver {
  readonly #connection: Connection
  readonly #ledger: Ledger
  readonly #latency: LatencySink | null
  readonly #onComplete: () => void
  #batch: FinBatch | null = null
  #finCount = 0

  constructor(connection: Connection, ledger: Ledger, onComplete: () => void, latency: LatencySink | null = null) {
    this.#connection = connection
    this.#ledger = ledger
    this.#latency = latency
    this.#onComplete = onComplete
    connection.receiver = this
  }

  receive(at: number, end: number): number {
    const ledger = this.#ledger
    const latency = this.#latency
    const nowMs = latency === null ? 0 : performance.now()
    const wasComplete = ledger.complete
    while (end - at >= 8) {
      const sizeBytes = inputView.getInt32(at)
      const next = at + 4 + sizeBytes
      if (next > end) break
      if (inputView.getInt32(at + 4) === FRAME_MESSAGE) {
        const attempts = inputView.getUint16(at + ATTEMPTS_AT)
        const serial = ledger.record(input, inputView, at + BODY_AT, next - at - BODY_AT, attempts)
        if (latency !== null && serial >= 0)
          latency.record(serial, nowMs - inputView.getFloat64(at + BODY_AT + SENT_AT_AT), attempts)
        this.#finish(at + ID_AT)
      } else {
        readReply(this.#connection, at, sizeBytes)
      }
      at = next
    }
    this.#flush()
    if (!wasComplete && ledger.complete) this.#onComplete()
    return at
  }

  #finish(idAt: number): void {
    if (this.#batch === null) this.#batch = takeBatch()
    const view = this.#batch.view
    const to = this.#finCount * FIN_SIZE_BYTES + 4
    view.setInt32(to, inputView.getInt32(idAt))
    view.setInt32(to + 4, inputView.getInt32(idAt + 4))
    view.setInt32(to + 8, inputView.getInt32(idAt + 8))
    view.setInt32(to + 12, inputView.getInt32(idAt + 12))
    if (++this.#finCount === FINS_PER_BATCH) this.#flush()
  }

  #flush(): void {
    const batch = this.#batch
    if (batch === null) return
    this.#connection.write(batch.bytes.subarray(0, this.#finCount * FIN_SIZE_BYTES), batch.release)
    this.#batch = null
    this.#finCount = 0
  }
}
