import { ChannelLedger, type LifeClock } from './channel-ledger.js'
import { bytes, doubles } from './column.js'
import type { Violations } from './violations.js'

const SENT = 1
const ACKNOWLEDGED = 2
const DELIVERED = 4

/**
 * What producers know of one life of one topic: which serial numbers were sent, which of them the broker has answered
 * with OK, and when each may come at the earliest. Whatever was sent and not answered may appear or not.
 */
export class TopicLedger {
  readonly name: string
  /** In every body; no other topic, and no other life of this one, has it. */
  readonly tag: number
  readonly channels = new Map<string, ChannelLedger>()
  readonly violations: Violations
  readonly #states = bytes()
  readonly #dueAtMs = doubles()
  #next = 0
  #acknowledgedCount = 0
  /** With the channels that are gone. */
  readonly everyChannel: ChannelLedger[] = []
  /** The topic is paused: nothing with this serial or a higher one may come. */
  pausedFrom = Infinity
  /** By life: the first serial that was sent in it. */
  readonly #firstByLife: number[] = []

  constructor(name: string, tag: number, violations: Violations) {
    this.name = name
    this.tag = tag
    this.violations = violations
  }

  /** Serial numbers below this were sent. */
  get next(): number {
    return this.#next
  }

  get acknowledgedCount(): number {
    return this.#acknowledgedCount
  }

  /** Takes the next `count` serials, which are about to be sent, and returns the first. `dueAtMs` is on the wall clock; 0 is at once. */
  send(count: number, dueAtMs = 0): number {
    const first = this.#next
    for (let serial = first; serial < first + count; serial++) {
      this.#states.set(serial, SENT)
      if (dueAtMs > 0) this.#dueAtMs.set(serial, dueAtMs)
    }
    this.#next += count
    return first
  }

  /** A life of the broker begins: what is sent from here on cannot have been delivered before. */
  began(life: LifeClock): void {
    this.#firstByLife[life.number] ??= this.#next
  }

  /** The first serial that was sent in this life; `Infinity` when the topic was not told that it began. */
  firstOf(life: LifeClock): number {
    return this.#firstByLife[life.number] ?? Infinity
  }

  /** The broker has answered OK. */
  acknowledge(first: number, count: number): void {
    this.#acknowledgedCount += count
    for (let serial = first; serial < first + count; serial++) {
      this.#states.set(serial, this.#states.get(serial) | ACKNOWLEDGED)
      for (const channel of this.channels.values()) channel.acknowledged(serial)
    }
  }

  isAcknowledged(serial: number): boolean {
    return (this.#states.get(serial) & ACKNOWLEDGED) !== 0
  }

  /** Some channel has delivered it. */
  delivered(serial: number): void {
    this.#states.set(serial, this.#states.get(serial) | DELIVERED)
  }

  /** How many were delivered that the broker had never answered for: those that a kill caught between storing and answering. */
  get unansweredDeliveredCount(): number {
    let count = 0
    for (let serial = 0; serial < this.#next; serial++) {
      if (this.#states.get(serial) === (SENT | DELIVERED)) count++
    }
    return count
  }

  dueAtMs(serial: number): number {
    return this.#dueAtMs.get(serial)
  }

  /**
   * The broker has answered that the channel exists: it must get everything that is acknowledged from `requiredFrom` on,
   * and nothing below `notBelow`, since it begins behind that.
   */
  addChannel(name: string, { requiredFrom = this.#next, notBelow = 0 } = {}): ChannelLedger {
    const channel = new ChannelLedger(this, name, { requiredFrom, notBelow })
    this.channels.set(name, channel)
    this.everyChannel.push(channel)
    for (let serial = requiredFrom; serial < this.#next; serial++) {
      if (this.isAcknowledged(serial)) channel.acknowledged(serial)
    }
    return channel
  }

  /** It was deleted, or does not have to get everything: nothing is owed to it any more. */
  removeChannel(name: string): void {
    this.channels.delete(name)
  }

  /** Acknowledged messages that a channel has not finished yet, over all channels. */
  get outstandingCount(): number {
    let count = 0
    for (const channel of this.channels.values()) count += channel.outstandingCount
    return count
  }
}
