import type { Durability, Lease, SequenceRange } from '@spillway/core'

/** What is wrong in one place. */
export interface Damage {
  /**
   * - `journal`: bytes of a journal file, or the whole of it, are not what was written
   * - `records`: stored messages cannot be read
   * - `index`: what says where messages are cannot be read; the messages can
   * - `missing`: messages that somebody still has to get are nowhere
   * - `cursor`: what a channel has finished cannot be read
   * - `catalogue`: which topics and channels there are cannot be read
   * - `rocksdb`: RocksDB as a whole cannot be read
   */
  readonly kind: 'journal' | 'records' | 'index' | 'missing' | 'cursor' | 'catalogue' | 'rocksdb'
  /** One line for people, with the path. */
  readonly detail: string
  readonly topic: string | null
  readonly channel: string | null
  /** The records that are meant, by their place in the topic's log. */
  readonly records: SequenceRange | null
  /** What `--repair` does about it; null when it can do nothing. */
  readonly remedy: string | null
}

export interface ChannelReport {
  readonly name: string
  readonly paused: boolean
  /** Messages that it has not finished: waiting, deferred, or in flight when the broker stopped. */
  readonly depth: number
}

export interface TopicReport {
  readonly name: string
  readonly log: Lease
  readonly durability: Durability
  readonly paused: boolean
  /** Messages that wait at the topic: it is paused, or has no channel. */
  readonly depth: number
  /** Messages that are stored, finished ones that have not been given up yet among them. */
  readonly storedCount: number
  readonly storedBytes: number
  readonly channels: readonly ChannelReport[]
}

/** What lies in a data path. */
export interface DoctorReport {
  readonly dataPath: string
  readonly isHealthy: boolean
  readonly topics: readonly TopicReport[]
  readonly damage: readonly Damage[]
  readonly journal: {
    readonly fileCount: number
    readonly sizeBytes: number
    /** Bytes at its end that are not whole, as a kill leaves them. The broker cuts them off; nothing of them was acknowledged. */
    readonly tornBytes: number
  }
  readonly rocksdbSizeBytes: number
  /** Logs that belong to no topic, as a topic leaves that was being deleted. The broker deletes them when it starts. */
  readonly orphanedLogs: readonly { readonly log: Lease; readonly storedCount: number; readonly storedBytes: number }[]
}

/** Records that a repair has given up. */
export interface GivenUp {
  readonly topic: string
  readonly records: SequenceRange
  /** How many of them somebody was still to get. */
  readonly wantedCount: number
}

export interface RepairReport {
  /** As it was found. */
  readonly before: DoctorReport
  /** What was done, a line each. */
  readonly done: readonly string[]
  readonly gaveUp: readonly GivenUp[]
  /** As it is now. */
  readonly after: DoctorReport
}
