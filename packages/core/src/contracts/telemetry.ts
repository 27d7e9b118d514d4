import type { Sequence } from './sequence.js'

/** A run of records of one topic. The object is reused: take what you need before returning. */
export interface RecordRun {
  readonly topic: string
  readonly first: Sequence
  readonly count: number
}

/**
 * Hooks into the life of messages: per run, never per record, and called only when a telemetry plugin is configured.
 * They are synchronous, must be cheap and must not throw.
 */
export interface Telemetry {
  /** Accepted from a publisher; not yet stored. */
  published(run: RecordRun): void
  /** As safe as the topic's durability says; the publisher gets its `OK`. */
  stored(run: RecordRun): void
  /** Written to a consumer's connection. `attempts` is that of every record of the run. */
  delivered(run: RecordRun, channel: string, attempts: number): void
  /** No longer in flight: finished by the consumer, requeued by it, or timed out. */
  settled(run: RecordRun, channel: string, outcome: 'finished' | 'requeued' | 'timed-out'): void
  /** Sends what is buffered and releases everything. Idempotent. */
  close(): Promise<void>
}
