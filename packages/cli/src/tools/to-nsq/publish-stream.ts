import type { RateLimit } from './rate-limit.js'
import type { RecordPublisher } from './record-publisher.js'
import type { RecordSplitter } from './record-splitter.js'

/** Records that are published together; twice as many are on their way at most. */
const WAVE_MAX = 10_000

export interface PublishStreamOptions {
  readonly splitter: RecordSplitter
  readonly publisher: RecordPublisher
  /** Null: none. */
  readonly limit: RateLimit | null
  /** Once aborted, nothing more is read or published. */
  readonly stop: AbortSignal
  /** Ends the reading, when a record could not be published while nothing more comes to read. */
  closeInput(): void
  /** Resolves after that, or earlier when `stop` is aborted. */
  pause(delayMs: number): Promise<void>
}

/**
 * Publishes the records of a stream. It reads on while the last records are under way, and not further: what is read and not
 * acknowledged is two waves of records, or two chunks.
 *
 * @returns once every record is acknowledged: true at the end of the stream, false when it was stopped before
 * @throws FatalError when a record could not be published, RecordTooLongError, and what reading throws
 */
export async function publishStream(input: AsyncIterable<Buffer>, options: PublishStreamOptions): Promise<boolean> {
  const waves = new Waves(options)
  try {
    for await (const chunk of input) {
      for (const record of options.splitter.split(chunk)) {
        if (waves.add(record)) await waves.send()
      }
      await waves.send()
      if (options.stop.aborted) break
    }
  } catch (error) {
    // At a signal, and after a failure, the input is closed to end the reading; that is not what went wrong.
    if (!options.stop.aborted) {
      await waves.flush()
      throw options.publisher.failure ?? error
    }
  }
  const last = options.stop.aborted ? null : options.splitter.end()
  if (last !== null) {
    waves.add(last)
    await waves.send()
  }
  await waves.done()
  return !options.stop.aborted
}

class Waves {
  readonly #options: PublishStreamOptions
  #records: Buffer[] = []
  /** The wave before, on its way. */
  #last: Promise<void> = Promise.resolve()

  constructor(options: PublishStreamOptions) {
    this.#options = options
  }

  /** @returns whether it is time to send */
  add(record: Buffer): boolean {
    this.#records.push(record)
    return this.#records.length >= WAVE_MAX
  }

  /** Sends what was added, as fast as it may, after the wave before the last one has arrived. */
  async send(): Promise<void> {
    let rest = this.#records
    this.#records = []
    const { limit, stop, pause, publisher } = this.#options
    while (rest.length > 0 && !stop.aborted) {
      const count = limit === null ? rest.length : limit.take(rest.length)
      if (count === 0) {
        await pause((limit as RateLimit).waitMs)
        continue
      }
      const before = this.#last
      const wave = publisher.publish(rest.slice(0, count))
      // Whoever waits for it next gets the failure too.
      wave.catch(() => this.#options.closeInput())
      this.#last = wave
      rest = rest.slice(count)
      await before
    }
  }

  done(): Promise<void> {
    return this.#last
  }

  /** What was read before something went wrong is still published; never rejects. */
  async flush(): Promise<void> {
    try {
      await this.send()
      await this.#last
    } catch {
      // The publisher keeps it.
    }
  }
}
