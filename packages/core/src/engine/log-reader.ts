import type { Chunk } from '../contracts/chunk.js'
import type { LogStore } from '../contracts/log-store.js'
import type { Sequence } from '../contracts/sequence.js'
import { BrokerError } from '../errors.js'
import type { MemoryBudget } from './memory-budget.js'
import type { ReadSlots } from './read-slots.js'
import { Segment } from './segment.js'
import type { SegmentList } from './segment-list.js'

const READ_BYTES = 1024 * 1024
/** Reading goes on ahead of a consumer while less than this lies in memory in front of it. */
const AHEAD_BYTES = 2 * READ_BYTES

/** What a reader needs of its log. */
export interface ReadLog {
  readonly segments: SegmentList
  readonly budget: MemoryBudget
  readonly slots: ReadSlots
  readonly store: LogStore
  readonly committedEnd: Sequence
  readonly monotonicMs: () => number
  /** A segment was read back. */
  loaded(segment: Segment): void
}

/** Reads records that are not in memory back from the store, when they are asked for and ahead of that. */
export class LogReader {
  readonly #log: ReadLog
  readonly #running = new Map<Sequence, Promise<void>>()
  #isReleased = false

  constructor(log: ReadLog) {
    this.#log = log
  }

  /**
   * Reads what begins at `sequence`, so that the log has a segment for it. One read serves all who ask for the same.
   * @throws BrokerError `E_STORAGE_CORRUPT` when the record is not there although it must be; `E_STORAGE_IO`.
   */
  load(sequence: Sequence): Promise<void> {
    const running = this.#running.get(sequence)
    if (running !== undefined) return running
    const loading = this.#log.slots.run(() => this.#load(sequence)).finally(() => this.#running.delete(sequence))
    this.#running.set(sequence, loading)
    return loading
  }

  /**
   * Somebody has begun to give out the segment: reads what comes after it before it is needed. `nextNeeded` gives the first
   * record at or behind a place that will be wanted, or `end` when none is.
   */
  ahead(segment: Segment, end: Sequence, nextNeeded: (from: Sequence) => Sequence): void {
    const { segments } = this.#log
    let aheadBytes = 0
    let sequence = nextNeeded(segment.end)
    while (sequence < end && aheadBytes < AHEAD_BYTES) {
      const next = segments.at(sequence)
      if (next === null) {
        if (this.#running.size === 0) this.load(sequence).catch(() => undefined) // who needs it asks again, and hears of it
        return
      }
      aheadBytes += next.sizeBytes
      sequence = nextNeeded(next.end)
    }
  }

  /** Nothing that is still being read is wanted any more. */
  release(): void {
    this.#isReleased = true
  }

  async #load(sequence: Sequence): Promise<void> {
    if (this.#isReleased || this.#log.segments.at(sequence) !== null) return
    const chunks = await this.#log.store.read(sequence, READ_BYTES)
    if (this.#isReleased || this.#log.segments.at(sequence) !== null) return
    if (chunks.length === 0 || chunks[0].first > sequence) {
      const found = chunks.length === 0 ? 'nothing' : `record ${chunks[0].first}`
      const detail = `record ${sequence} is missing: the store has ${found} where it should be`
      throw new BrokerError('E_STORAGE_CORRUPT', detail)
    }
    for (const run of runsInOneBuffer(chunks)) this.#add(run, Math.max(sequence, run[0].first))
  }

  /** Adds what a run has between the segments that are there. */
  #add(run: readonly Chunk[], from: Sequence): void {
    const { segments, budget, committedEnd, monotonicMs } = this.#log
    const last = run[run.length - 1]
    const runEnd = Math.min(last.first + last.count, committedEnd)
    for (let first = from; first < runEnd; ) {
      const index = segments.indexAt(first)
      const before = segments.all[index]
      if (before !== undefined && before.end > first) {
        first = before.end
        continue
      }
      const end = Math.min(runEnd, segments.all[index + 1]?.first ?? runEnd)
      const segment = Segment.fromChunks(run, first, end)
      first = end
      if (segment === null) continue
      budget.hasRoom(segment.sizeBytes) // lets others go; this one is needed now, whether there is room or not
      segment.usedAtMs = monotonicMs()
      segments.add(segment)
      this.#log.loaded(segment)
    }
  }
}

/** Records that one segment may span although there are fewer, since others between them were erased. */
const SPAN_MAX = 262_144

/** Chunks whose frames lie back to back in one buffer become one segment. */
function runsInOneBuffer(chunks: readonly Chunk[]): Chunk[][] {
  const runs: Chunk[][] = []
  for (const chunk of chunks) {
    const run = runs[runs.length - 1]
    const last = run?.[run.length - 1]
    const isNext =
      last !== undefined &&
      last.frames.buffer === chunk.frames.buffer &&
      last.frames.byteOffset + last.frames.length === chunk.frames.byteOffset &&
      chunk.first + chunk.count - run[0].first <= SPAN_MAX
    if (isNext) run.push(chunk)
    else runs.push([chunk])
  }
  return runs
}
