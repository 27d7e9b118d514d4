import type { Clock } from '@spillway/core'
import type { Peer } from './peer.js'

/** A peer at one topic or channel. */
export class Producer {
  readonly peer: Peer
  readonly #clock: Clock
  #tombstonedAtMs: number | null = null
  #tombstonedAtWallMs = 0

  constructor(peer: Peer, clock: Clock) {
    this.peer = peer
    this.#clock = clock
  }

  tombstone(): void {
    this.#tombstonedAtMs = this.#clock.monotonicMs()
    this.#tombstonedAtWallMs = this.#clock.wallMs()
  }

  isTombstoned(lifetimeMs: number): boolean {
    return this.#tombstonedAtMs !== null && this.#clock.monotonicMs() - this.#tombstonedAtMs < lifetimeMs
  }

  /** Of the newest tombstone, also when that is over; null when there was none. */
  get tombstonedAtWallMs(): number | null {
    return this.#tombstonedAtMs === null ? null : this.#tombstonedAtWallMs
  }
}

/** A topic or a channel that is known, whether somebody has it at the moment or not. */
export class Registration {
  readonly topic: string
  /** Null for a topic itself. */
  readonly channel: string | null
  readonly producers = new Map<Peer, Producer>()

  constructor(topic: string, channel: string | null) {
    this.topic = topic
    this.channel = channel
  }
}
