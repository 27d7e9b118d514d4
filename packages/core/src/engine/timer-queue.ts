import type { Clock, TimerHandle } from '../contracts/clock.js'

/** Something that wants to be woken at one moment. */
export interface Timed {
  /** Kept by the queue: the monotonic ms at which it is woken, `Infinity` when it is not. */
  timerAtMs: number
  /** Kept by the queue. */
  timerIndex: number
  onTimer(nowMs: number): void
}

/** Timers may run this long in one turn; then sockets are read before the rest have theirs. */
const RUN_MS_MAX = 2

/** All timers of a node on one timer of the clock: a binary heap with one entry for each {@link Timed}. */
export class TimerQueue {
  readonly #clock: Clock
  readonly #heap: Timed[] = []
  #armed: TimerHandle | null = null
  #armedAtMs = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Wakes `timed` at `atMs` and at no other time; `Infinity` for never. */
  set(timed: Timed, atMs: number): void {
    if (timed.timerAtMs === atMs) return
    if (timed.timerAtMs === Infinity) {
      timed.timerAtMs = atMs
      this.#heap.push(timed)
      this.#up(this.#heap.length - 1, timed)
    } else if (atMs === Infinity) {
      this.#remove(timed)
    } else {
      const earlier = atMs < timed.timerAtMs
      timed.timerAtMs = atMs
      if (earlier) this.#up(timed.timerIndex, timed)
      else this.#down(timed.timerIndex, timed)
    }
    this.#arm()
  }

  /** Wakes `timed` at `atMs` unless it is woken before that anyway. */
  setEarlier(timed: Timed, atMs: number): void {
    if (atMs < timed.timerAtMs) this.set(timed, atMs)
  }

  close(): void {
    this.#armed?.cancel()
    for (const timed of this.#heap) timed.timerAtMs = Infinity
    this.#heap.length = 0
    this.#armedAtMs = Infinity
  }

  #arm(): void {
    const atMs = this.#heap.length === 0 ? Infinity : this.#heap[0].timerAtMs
    if (atMs >= this.#armedAtMs) return // fires early, finds nothing due, arms again
    this.#armed?.cancel()
    this.#armedAtMs = atMs
    this.#armed = this.#clock.setTimer(Math.max(0, atMs - this.#clock.monotonicMs()), () => this.#fire())
  }

  #fire(): void {
    this.#armed = null
    this.#armedAtMs = -Infinity // no arming while timers run
    const nowMs = this.#clock.monotonicMs()
    while (this.#heap.length > 0 && this.#heap[0].timerAtMs <= nowMs) {
      const timed = this.#heap[0]
      this.#remove(timed)
      timed.onTimer(nowMs)
      if (this.#clock.monotonicMs() - nowMs > RUN_MS_MAX) break
    }
    this.#armedAtMs = Infinity
    this.#arm()
  }

  #remove(timed: Timed): void {
    const last = this.#heap.pop() as Timed
    timed.timerAtMs = Infinity
    if (last === timed) return
    const at = timed.timerIndex
    this.#heap[at] = last
    last.timerIndex = at
    this.#down(at, last)
    this.#up(last.timerIndex, last)
  }

  #up(from: number, timed: Timed): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (this.#heap[parent].timerAtMs <= timed.timerAtMs) break
      this.#heap[at] = this.#heap[parent]
      this.#heap[at].timerIndex = at
      at = parent
    }
    this.#heap[at] = timed
    timed.timerIndex = at
  }

  #down(from: number, timed: Timed): void {
    let at = from
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#heap.length) break
      if (child + 1 < this.#heap.length && this.#heap[child + 1].timerAtMs < this.#heap[child].timerAtMs) child++
      if (this.#heap[child].timerAtMs >= timed.timerAtMs) break
      this.#heap[at] = this.#heap[child]
      this.#heap[at].timerIndex = at
      at = child
    }
    this.#heap[at] = timed
    timed.timerIndex = at
  }
}
