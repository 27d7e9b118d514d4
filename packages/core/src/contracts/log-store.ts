import type { Chunk } from './chunk.js'
import type { Lease, Sequence, SequenceRange } from './sequence.js'

/**
 * What is saved of one channel's cursor. Every value is opaque to the store and carries its own version and checksum;
 * it is immutable from here on, and may be kept.
 */
export interface CursorUpdate {
  /** The new head value (floor, delivered-up-to, counts). */
  readonly head: Uint8Array
  /** Pages to store (`Uint8Array`) or to forget (`null`), by page number. Pages that are not named stay as they are. */
  readonly pages: ReadonlyMap<number, Uint8Array | null>
}

/** The side table of a chunk without its frames. */
export interface ChunkAttributes {
  readonly first: Sequence
  readonly count: number
  readonly attributes: Uint8Array
}

/** What was saved of one channel's cursor. */
export interface SavedCursor {
  readonly head: Uint8Array
  readonly pages: ReadonlyMap<number, Uint8Array>
}

/**
 * One topic's append-only log, and the cursors of its channels. It has one owner, whose calls may overlap and take
 * effect in call order. It stores bytes; core owns their meaning.
 *
 * After {@link close} every method rejects (or throws) `E_STORAGE_CLOSED`.
 */
export interface LogStore {
  /** The lowest sequence that is not trimmed, as found when the log was opened. A first chunk that begins above it is damage, not a clamp. */
  readonly first: Sequence
  /** One more than the highest sequence ever appended and kept, as found when the log was opened; `first` when empty. */
  readonly next: Sequence
  /** Bytes that the log's records occupy now, as well as the store can tell. */
  readonly sizeBytes: number

  /**
   * Appends a run of consecutive records, all or nothing. `chunk.first` is never below the end of the log; it may be
   * above it, the gap then holds no records for ever. The buffers are immutable from here on and may be kept.
   *
   * Returns nothing when the run is at once as safe as the log's durability says, otherwise a promise that resolves when it is:
   * `none` (may be lost with the process), `process` (survives kill -9), `power` (survives loss of power).
   * Appends resolve in call order.
   *
   * @throws BrokerError `E_STORAGE_FULL`: surely not written. `E_STORAGE_IO`: unknown, may reappear when the log is
   * opened again. After either, every later append rejects the same way until the log was closed and opened again.
   * `E_STORAGE_FENCED`: a newer owner has the log; final. `E_STORAGE_CLOSED`.
   * An error is reported by a rejected promise or thrown at once; callers treat both alike.
   */
  append(chunk: Chunk): void | Promise<void>

  /**
   * The chunks that hold `from` and what follows it, in order; together at most `sizeBytesMax` of frames, but never fewer
   * than one chunk. `from` may lie inside a chunk (that chunk is returned whole), in a gap, or below the first chunk:
   * reading starts at the first chunk that ends above it. `[]` at the end of the log. Sees every append that has resolved,
   * and nothing of one that has not.
   *
   * A store may split or join chunks as it likes, as long as the records, their order and their attributes stay.
   *
   * @throws BrokerError `E_STORAGE_CORRUPT`: a value failed its check; the message names the place. Chunks before it are
   * returned by reads that end before it. `E_STORAGE_IO`.
   */
  read(from: Sequence, sizeBytesMax: number): Promise<readonly Chunk[]>

  /**
   * The side tables of the chunks that {@link read} would give from `from` on, without their frames; chunks that have none
   * are left out. At most about `sizeBytesMax` of them, but never fewer than one; `[]` when none is left.
   * @throws BrokerError as {@link read} does.
   */
  readAttributes(from: Sequence, sizeBytesMax: number): Promise<readonly ChunkAttributes[]>

  /**
   * These records are not needed any more, although others below them are: their room may be used for something else.
   * Ranges ascend and do not overlap. It is advice: a store may keep them for as long as it likes, or for ever. Records that
   * have gone leave a gap, as {@link append} may. Nothing else is ever touched, whatever crashes meanwhile.
   */
  erase(ranges: readonly SequenceRange[]): void

  /**
   * Forgets every record below `before`. Idempotent. The new {@link first} is stored before anything is deleted. Whole
   * chunks go; a chunk that straddles `before` may stay whole. A crash may bring some records back: cursors, not trims,
   * say what is finished. `before` may lie above the end of the log, which then is empty: `first` and `next` are `before`.
   *
   * @throws BrokerError `E_STORAGE_IO`: try again later; nothing above `before` is ever lost by a failed trim.
   */
  trim(before: Sequence): Promise<void>

  /**
   * Saves a channel's cursor, atomically for that channel; saves of one channel take effect in call order. As durable as the log.
   *
   * @throws BrokerError `E_STORAGE_FULL`, `E_STORAGE_IO`: the cursor saved before is intact; the caller saves again,
   * with at least the same pages.
   */
  saveCursor(channel: Lease, update: CursorUpdate): void | Promise<void>

  /** The cursor as last saved, `null` when there is none. @throws BrokerError `E_STORAGE_IO`. */
  loadCursor(channel: Lease): Promise<SavedCursor | null>

  /** Forgets a channel's cursor. Idempotent. @throws BrokerError `E_STORAGE_IO`. */
  deleteCursor(channel: Lease): Promise<void>

  /** Lets accepted appends and saves settle, then releases what the log holds in memory or keeps open. Idempotent. Nothing stored is deleted. */
  close(): Promise<void>
}
