import type { Clock, TimerHandle } from '@spillway/core'

/** What the deadlines of a connection are about. */
export interface DeadlineSubject {
  /** Bytes that the operating system has not taken, and bytes that it has taken altogether. */
  readonly pendingBytes: number
  readonly takenBytes: number
  /** Whether bytes are read: while they are not, the peer cannot be late. */
  readonly isReading: boolean
  heartbeatDue(): void
  /** The peer has sent nothing for two intervals, or taken nothing for one. */
  deadlinePassed(which: 'read' | 'write'): void
}

/**
 * Heartbeats, and the deadlines for a silent and for a stuck peer, on one timer per connection. The timer is not set
 * again when something is read: it finds out when it fires.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #subject: DeadlineSubject
  readonly #onTimer = (): void => this.#fire()
  #timer: TimerHandle | null = null
  #intervalMs = 0
  #nextHeartbeatMs = 0
  #lastReadMs = 0
  #takenBytes = 0
  #lastTakenMs = 0

  constructor(clock: Clock, subject: DeadlineSubject) {
    this.#clock = clock
    this.#subject = subject
  }

  /** Starts anew, counted from now. 0 stops: no heartbeats and no deadlines. */
  start(intervalMs: number): void {
    this.stop()
    this.#intervalMs = intervalMs
    if (intervalMs === 0) return
    const nowMs = this.#clock.monotonicMs()
    this.#lastReadMs = nowMs
    this.#lastTakenMs = nowMs
    this.#takenBytes = this.#subject.takenBytes
    this.#nextHeartbeatMs = nowMs + intervalMs
    this.#arm(nowMs)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#intervalMs = 0
  }

  /** The peer has sent something, or is read again after a pause. */
  noteRead(): void {
    if (this.#intervalMs > 0) this.#lastReadMs = this.#clock.monotonicMs()
  }

  #fire(): void {
    this.#timer = null
    const nowMs = this.#clock.monotonicMs()
    this.#noteTaken(nowMs)
    if (this.#subject.isReading && nowMs >= this.#lastReadMs + 2 * this.#intervalMs) {
      this.#subject.deadlinePassed('read')
    } else if (this.#subject.pendingBytes > 0 && nowMs >= this.#lastTakenMs + this.#intervalMs) {
      this.#subject.deadlinePassed('write')
    } else if (nowMs >= this.#nextHeartbeatMs) {
      // A late timer skips the heartbeats that it has missed.
      while (this.#nextHeartbeatMs <= nowMs) this.#nextHeartbeatMs += this.#intervalMs
      this.#subject.heartbeatDue()
    }
    if (this.#intervalMs > 0 && this.#timer === null) this.#arm(nowMs)
  }

  #noteTaken(nowMs: number): void {
    const { takenBytes } = this.#subject
    if (takenBytes !== this.#takenBytes || this.#subject.pendingBytes === 0) this.#lastTakenMs = nowMs
    this.#takenBytes = takenBytes
  }

  #arm(nowMs: number): void {
    let dueMs = this.#nextHeartbeatMs
    if (this.#subject.isReading) dueMs = Math.min(dueMs, this.#lastReadMs + 2 * this.#intervalMs)
    if (this.#subject.pendingBytes > 0) dueMs = Math.min(dueMs, this.#lastTakenMs + this.#intervalMs)
    this.#timer = this.#clock.setTimer(Math.max(0, dueMs - nowMs), this.#onTimer)
  }
}
