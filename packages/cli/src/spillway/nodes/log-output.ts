import type { Writable } from 'node:stream'

/** What may wait for whoever reads the log. */
const PENDING_BYTES_MAX = 8 * 1024 * 1024

/**
 * Where the lines of all nodes go, and those of their supervisor: one stream for all, so that no line gets into the middle of
 * another. When its reader is slow, lines above 8 MiB that wait are dropped, and counted; when there is none any more, all are.
 */
export class LogOutput {
  readonly #stream: Writable
  readonly #dropped: (lineCount: number) => void
  #droppedCount = 0

  /** @param dropped - told, once there is room again, how many lines are missing; it may write */
  constructor(stream: Writable, dropped: (lineCount: number) => void) {
    this.#stream = stream
    this.#dropped = dropped
    // Nodes go on without a log, rather than not at all.
    stream.on('error', () => {})
  }

  /** @param line - with its end */
  write(line: string): void {
    if (this.#stream.writableLength >= PENDING_BYTES_MAX) {
      this.#droppedCount++
      return
    }
    const count = this.#droppedCount
    this.#droppedCount = 0
    if (count > 0) this.#dropped(count)
    this.#stream.write(line)
  }

  /** Resolves once everything is with the system, or has no reader, at the latest after `limitMs`. */
  flushed(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs)
      this.#stream.write('', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
