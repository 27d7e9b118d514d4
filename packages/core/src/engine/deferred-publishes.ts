import type { Clock } from '../contracts/clock.js'
import type { Sequence } from '../contracts/sequence.js'
import type { Channel } from './channel.js'
import { DueHeap } from './due-heap.js'
import type { Timed, TimerQueue } from './timer-queue.js'

/** The wall clock may jump: due times are looked at again at least this often. */
const CHECK_MS = 1000
const DUE_PER_TIMER_MAX = 10_000

/** Records of a topic that their publishers deferred: one entry each, for all channels. */
export class DeferredPublishes implements Timed {
  timerAtMs = Infinity
  timerIndex = -1
  readonly #clock: Clock
  readonly #timers: TimerQueue
  readonly #channels: ReadonlyMap<string, Channel>
  /** By wall clock. */
  readonly #heap = new DueHeap()
  #closed = false

  constructor(clock: Clock, timers: TimerQueue, channels: ReadonlyMap<string, Channel>) {
    this.#clock = clock
    this.#timers = timers
    this.#channels = channels
  }

  /** Holds back those records of `[first, end)` among the `dues` whose time has not come, in every channel where they wait. */
  hold(dues: Iterable<readonly [sequence: Sequence, dueAtMs: number]>, first: Sequence, end: Sequence): void {
    if (this.#closed) return
    const nowMs = this.#clock.wallMs()
    for (const [sequence, dueAtMs] of dues) {
      if (sequence < first || sequence >= end || dueAtMs <= nowMs) continue
      let waits = false
      for (const channel of this.#channels.values()) waits = channel.defer(sequence) || waits
      if (waits) this.#heap.push(dueAtMs, sequence)
    }
    this.#arm(nowMs)
  }

  /** Those of the records `[first, end)` do not wait anywhere any more. */
  forget(first: Sequence, end: Sequence): void {
    this.#heap.removeRange(first, end)
  }

  onTimer(): void {
    const nowMs = this.#clock.wallMs()
    const cost = Math.max(1, this.#channels.size)
    for (let left = DUE_PER_TIMER_MAX; left > 0 && this.#heap.earliest <= nowMs; left -= cost) {
      const sequence = this.#heap.pop()
      for (const channel of this.#channels.values()) channel.due(sequence)
    }
    this.#arm(nowMs)
  }

  #arm(wallMs: number): void {
    if (this.#heap.size === 0) return
    const delayMs = Math.min(CHECK_MS, Math.max(1, this.#heap.earliest - wallMs))
    this.#timers.setEarlier(this, this.#clock.monotonicMs() + delayMs)
  }

  close(): void {
    this.#closed = true
    this.#timers.set(this, Infinity)
    this.#heap.clear()
  }
}
