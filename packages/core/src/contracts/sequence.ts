/**
 * The position of a record in its log: 0, 1, 2, … up to 2^53. None is used twice, not even after a crash, as long as the log or
 * any cursor remembers it. A message's id is not its sequence: it is a lease and the distance from where the lease begins (`engine/id-leases.ts`).
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
