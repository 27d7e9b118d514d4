import {
  type ChannelEntry,
  decodeHead,
  decodePage,
  PAGE_RECORDS,
  type SavedCursor,
  type Sequence,
  type SequenceRange,
} from '@spillway/core'
import { addRange, difference } from '../ranges.js'

/** Everything that counts for a channel: its records begin at `start` at the earliest, and end at `end`. */
export interface WantedBy {
  readonly entry: ChannelEntry
  /** Null when it has never been saved. */
  readonly cursor: SavedCursor | null
  /** The first record that the log may still have. */
  readonly logFirst: Sequence
  readonly end: Sequence
  readonly voids: readonly SequenceRange[]
}

/** The records that a channel has not finished. @throws BrokerError `E_STORAGE_CORRUPT` when its cursor cannot be read */
export function wantedRecords({ entry, cursor, logFirst, end, voids }: WantedBy): SequenceRange[] {
  const start = Math.max(entry.start, logFirst)
  if (cursor === null) return difference([{ first: start, end: Math.max(start, end) }], voids)
  const head = decodeHead(entry.id, cursor.head)
  const floor = Math.max(start, head.floor)
  const finished: SequenceRange[] = []
  for (const [number, value] of [...cursor.pages].sort(([a], [b]) => a - b)) {
    const page = decodePage(entry.id, number, value)
    for (let index = 0; index < PAGE_RECORDS; index++) {
      if (!page.isFinished(index)) continue
      const sequence = number * PAGE_RECORDS + index
      addRange(finished, { first: sequence, end: sequence + 1 })
    }
  }
  if (head.finishedRun !== null) addRange(finished, head.finishedRun)
  return difference(difference([{ first: floor, end: Math.max(floor, end) }], finished), voids)
}
