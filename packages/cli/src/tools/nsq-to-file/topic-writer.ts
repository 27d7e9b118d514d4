import type { Message } from '@spillway/client'
import type { Logger } from '@spillway/core'
import { type Line, messageLines } from '../common/message-lines.js'
import type { ToolClock } from '../common/surroundings.js'
import type { FileSeries } from './file-series.js'

/** What is written at once; one message may be larger. */
const RUN_BYTES_MAX = 256 * 1024

/** What the writer needs of a message. */
export type WritableMessage = Line & Pick<Message, 'finish' | 'forgetIfOver'>

export interface TopicWriterOptions {
  readonly files: FileSeries
  readonly maxInFlight: number
  readonly syncIntervalMs: number
  /** No file is opened before there is a message for it. */
  readonly skipsEmptyFiles: boolean
  /** Few messages are left that may still come before some are finished. */
  readonly isStarved: () => boolean
  readonly clock: ToolClock
  readonly logger: Logger
  /** Called once; nothing is written after it. */
  readonly failed: (error: Error) => void
}

/**
 * Writes the messages of one topic, and finishes each once it is on the disk.
 *
 * ```
 *   take ─► waiting ─► run: one write ─► written ─► sync ─► finish
 * ```
 * A sync is for all that was written: when nothing more would come before it, at `max-in-flight`, every `syncIntervalMs`, before
 * another file's turn, at a hang-up and at the end. Messages gather while it runs. There are never more of them here than a
 * node has in flight: those that wait longer than that are let go, and come again.
 */
export class TopicWriter {
  readonly #options: TopicWriterOptions
  #waiting: WritableMessage[] = []
  #written: WritableMessage[] = []
  #isRunning = false
  #hasFailed = false
  #isTickDue = false
  #isHangupDue = false
  #isEnding = false
  #timer: { cancel(): void } | null = null
  #idle: (() => void)[] = []
  /** Messages that are on the disk. */
  syncedCount = 0

  constructor(options: TopicWriterOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = this.#options.clock.setTimer(this.#options.syncIntervalMs, () => {
      this.#isTickDue = true
      this.#wake()
      this.start()
    })
  }

  take(message: WritableMessage): void {
    if (this.#waiting.length >= this.#options.maxInFlight) {
      this.#waiting = this.#waiting.filter((each) => !each.forgetIfOver())
    }
    this.#waiting.push(message)
    this.#wake()
  }

  /** Finishes the file that is open; the next message goes into another one, or opens this one again. */
  hangUp(): void {
    this.#isHangupDue = true
    this.#wake()
  }

  /** From here on everything is synced as soon as it is written. */
  end(): void {
    this.#timer?.cancel()
    this.#isEnding = true
    this.#wake()
  }

  /** Begins with nothing more. */
  abandon(): void {
    this.#timer?.cancel()
    this.#hasFailed = true
  }

  /** Messages that are not written yet. */
  get waitingCount(): number {
    return this.#waiting.length
  }

  /** Resolves once all that can be done has been done. */
  async idle(): Promise<void> {
    if (this.#isRunning) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** After {@link end}, once nothing more comes: resolves when everything is finished and the file is closed. @throws Error */
  async close(): Promise<void> {
    await this.idle()
    if (!this.#hasFailed) await this.#options.files.close()
  }

  #wake(): void {
    if (this.#isRunning || this.#hasFailed) return
    this.#isRunning = true
    // What else this turn of the event loop brings is written with it.
    setImmediate(() => void this.#run())
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    try {
      while (this.#hasWork() && !this.#hasFailed) await this.#step()
    } catch (error) {
      this.#hasFailed = true
      this.#timer?.cancel()
      this.#options.failed(error as Error)
    }
    this.#isRunning = false
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  #hasWork(): boolean {
    const isUnsynced = this.#isEnding && this.#written.length > 0
    return this.#waiting.length > 0 || this.#isTickDue || this.#isHangupDue || isUnsynced
  }

  async #step(): Promise<void> {
    if (this.#isHangupDue) await this.#hangUp()
    if (this.#isTickDue) await this.#tick()
    if (this.#waiting.length > 0) await this.#writeRun()
    else if (this.#isEnding) await this.#sync()
  }

  async #tick(): Promise<void> {
    this.#isTickDue = false
    const { files, skipsEmptyFiles } = this.#options
    await this.#sync()
    if (!files.isRotationDue()) return
    if (skipsEmptyFiles) await files.close()
    else await files.rotate()
  }

  async #hangUp(): Promise<void> {
    this.#isHangupDue = false
    await this.#sync()
    await this.#options.files.close()
  }

  async #writeRun(): Promise<void> {
    const { files, maxInFlight, isStarved } = this.#options
    if (files.isRotationDue()) {
      await this.#sync()
      await files.rotate()
    }
    const run = this.#takeRun()
    await files.write(messageLines(run))
    for (const message of run) this.#written.push(message)
    if (this.#written.length >= maxInFlight || isStarved()) await this.#sync()
  }

  /** The first message, and those behind it that fit into the same write, the same file and the same sync. */
  #takeRun(): readonly WritableMessage[] {
    const { files, maxInFlight } = this.#options
    const countMax = Math.max(1, Math.min(this.#waiting.length, maxInFlight - this.#written.length))
    let count = 0
    let sizeBytes = 0
    do {
      sizeBytes += this.#waiting[count].bodySizeBytes + 1
      count++
    } while (count < countMax && sizeBytes < RUN_BYTES_MAX && !files.isFullWith(sizeBytes))
    if (count < this.#waiting.length) return this.#waiting.splice(0, count)
    const all = this.#waiting
    this.#waiting = []
    return all
  }

  async #sync(): Promise<void> {
    if (this.#written.length === 0) return
    await this.#options.files.sync()
    const finished = this.#written
    this.#written = []
    for (const message of finished) message.finish()
    this.syncedCount += finished.length
    this.#options.logger.debug(`synced ${finished.length} messages`)
  }
}
