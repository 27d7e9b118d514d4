import { SENT_AT_AT } from './body.js'
import { type Connection, FRAME_MESSAGE, input, inputView, type Receiver, readReply } from './connection.js'
import type { Ledger } from './ledger.js'

/** int32 size, int32 type, int64 timestamp, uint16 attempts, 16-byte id: what comes before a body. */
const ATTEMPTS_AT = 16
const ID_AT = 18
const ID_SIZE_BYTES = 16
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

/** Which messages a consumer requeues instead of finishing them. */
export interface Requeueing {
  /** Those whose serial number is a multiple of it, when they come for the first time. */
  readonly every: number
  readonly delayMs: number
}

export interface ConsumerOptions {
  readonly latency?: LatencySink | undefined
  readonly requeueing?: Requeueing | undefined
}

/** Receives, checks and finishes messages; the FINs of what one read brought go out as one write. */
export class Consumer implements Receiver {
  readonly #connection: Connection
  readonly #ledger: Ledger
  readonly #latency: LatencySink | null
  readonly #requeueing: Requeueing | null
  readonly #onComplete: () => void
  #batch: FinBatch | null = null
  #finCount = 0
  #requeues = ''

  constructor(connection: Connection, ledger: Ledger, onComplete: () => void, options: ConsumerOptions = {}) {
    this.#connection = connection
    this.#ledger = ledger
    this.#latency = options.latency ?? null
    this.#requeueing = options.requeueing ?? null
    this.#onComplete = onComplete
    connection.receiver = this
  }

  receive(at: number, end: number): number {
    const ledger = this.#ledger
    const latency = this.#latency
    const requeueing = this.#requeueing
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
        if (requeueing !== null && serial >= 0 && serial % requeueing.every === 0)
          this.#requeue(at + ID_AT, requeueing.delayMs)
        else this.#finish(at + ID_AT)
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

  #requeue(idAt: number, delayMs: number): void {
    this.#requeues += `REQ ${input.toString('latin1', idAt, idAt + ID_SIZE_BYTES)} ${delayMs}\n`
  }

  #flush(): void {
    if (this.#requeues !== '') {
      this.#connection.write(Buffer.from(this.#requeues, 'latin1'))
      this.#requeues = ''
    }
    const batch = this.#batch
    if (batch === null) return
    this.#connection.write(batch.bytes.subarray(0, this.#finCount * FIN_SIZE_BYTES), batch.release)
    this.#batch = null
    this.#finCount = 0
  }
}
