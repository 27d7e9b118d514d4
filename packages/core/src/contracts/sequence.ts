/**
 * The position of a record in its log: 0, 1, 2, … up to 2^53, never reused within a log, not even after a crash.
 *
 * A sequence splits into two 32-bit halves: the low half is the *offset* that stands in the last eight hex digits of
 * the message id, the high half counts the leases that the log has used up (one lease covers 2^32 records).
 */
export type Sequence = number

/** The sequences `first` … `end - 1`. Empty when `end <= first`. */
export interface SequenceRange {
  readonly first: Sequence
  readonly end: Sequence
}

/**
 * A node-wide number between 1 and 2^32 - 1 that is given out once and never again: it names a log or a channel in
 * storage, and stands in the first eight hex digits of the ids of a log's messages.
 */
export type Lease = number
