import type { Sequence } from './sequence.js'

/** The records of one channel, as its queue may see them. */
export interface QueueRecords {
  /**
   * How many consecutive records from `first` on wait to be given out for the first time, at most `countMax`; 0 when
   * `first` itself does not (it is finished, deferred, void, or waits to be given out *again*).
   */
  waitingRun(first: Sequence, countMax: number): number
  /** The lowest sequence at or above `from` and below `end` that waits to be given out for the first time; `end` when none does. */
  nextWaiting(from: Sequence, end: Sequence): Sequence
}

/** What a queue gives out: `count` consecutive records. One object, owned by the queue and overwritten by the next {@link Queue.take}. */
export interface QueueRun {
  first: Sequence
  count: number
  /** The run is one record that came back (requeued, timed out, or due); `count` is then 1. */
  returned: boolean
}

/**
 * The order in which a channel gives out its records. The channel keeps the state of each record (in flight, deferred,
 * finished); the queue only says what goes next, a run at a time, never one decision per record unless it wants that.
 * Everything is synchronous and must be cheap; nothing here throws.
 *
 * Records may stop waiting without the queue being told, when memory is full and the oldest are dropped: what is
 * taken fresh has to wait by {@link QueueRecords.waitingRun}; one that came back and waits no longer is passed over by the channel.
 */
export interface Queue {
  /** Records `first` … `first + count - 1` were released to the channel; they follow everything released before, but may leave gaps. */
  released(first: Sequence, count: number): void
  /** One record waits again: it was requeued, timed out, or its time has come. */
  returned(sequence: Sequence): void
  /**
   * Puts what goes out next into {@link run}, at most `countMax` (1 or more) records, and returns true; false when nothing waits.
   * What was taken counts as given out, except for what {@link untake} gives back at once.
   */
  take(countMax: number): boolean
  /** Gives back the last `count` records of the run just taken (its end did not fit): they go out first next time. */
  untake(count: number): void
  readonly run: QueueRun
  /** Everything that waits is forgotten, up to (not including) `before`: the channel was emptied. */
  clear(before: Sequence): void
  /** The lowest fresh sequence not yet given out, or the end of what was released. */
  readonly next: Sequence
}

/** Makes the queue of one channel; `next` is where its fresh records begin. */
export type QueueFactory = (records: QueueRecords, next: Sequence) => Queue
