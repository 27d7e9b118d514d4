import type { Surroundings, TimerHandle } from './clock.js'
import type { ConsumerSettings } from './consumer-options.js'
import type { NsqError } from './errors.js'
import { type Lookup, type LookupAddress, lookUp } from './lookup.js'

/** However often connections are lost, nsqlookupd is not asked more often. */
const ASK_INTERVAL_MS = 1_000
/** A topic that nobody has yet is asked for so many times as often: it comes with its first message. */
const ASKS_UNTIL_FOUND = 12

export interface DiscoveryOwner {
  /** @param isComplete - every nsqlookupd has answered: nodes that are not among these are nowhere */
  found(addresses: readonly string[], isComplete: boolean): void
  lookupFailed(address: string, error: NsqError): void
}

/** Asks every nsqlookupd which nodes have the topic: at once, then from time to time, and whenever there is reason to. */
export class Discovery {
  readonly #settings: ConsumerSettings
  readonly #surroundings: Surroundings
  readonly #owner: DiscoveryOwner
  #lookups: Lookup[] = []
  #isAsking = false
  #isAskedAgain = false
  #hasFound = false
  #askedMs = Number.NEGATIVE_INFINITY
  #pollTimer: TimerHandle | null = null
  #askTimer: TimerHandle | null = null
  #isClosed = false

  constructor(settings: ConsumerSettings, surroundings: Surroundings, owner: DiscoveryOwner) {
    this.#settings = settings
    this.#surroundings = surroundings
    this.#owner = owner
  }

  start(): void {
    if (this.#settings.lookupdAddresses.length === 0) return
    const { lookupdPollIntervalMs: intervalMs, lookupdPollJitterPercent } = this.#settings
    this.ask()
    this.#poll(intervalMs * (1 + (this.#surroundings.random() * lookupdPollJitterPercent) / 100))
  }

  #poll(delayMs: number): void {
    this.#pollTimer = this.#surroundings.clock.setTimer(delayMs, () => {
      this.#poll(this.#settings.lookupdPollIntervalMs)
      this.ask()
    })
  }

  /** Asks now, or as soon as that may be. */
  ask(): void {
    if (this.#isClosed || this.#askTimer !== null || this.#settings.lookupdAddresses.length === 0) return
    if (this.#isAsking) {
      this.#isAskedAgain = true
      return
    }
    const { clock } = this.#surroundings
    const waitMs = this.#askedMs + ASK_INTERVAL_MS - clock.nowMs()
    if (waitMs <= 0) {
      void this.#ask()
      return
    }
    this.#askAfter(waitMs)
  }

  #askAfter(delayMs: number): void {
    this.#askTimer = this.#surroundings.clock.setTimer(delayMs, () => {
      this.#askTimer = null
      void this.#ask()
    })
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    this.#askedMs = this.#surroundings.clock.nowMs()
    const answers = await Promise.all(this.#settings.lookupdAddresses.map((address) => this.#askOne(address)))
    this.#isAsking = false
    this.#lookups = []
    if (this.#isClosed) return
    const found = answers.filter((answer) => answer !== null)
    const addresses = [...new Set(found.flat())]
    this.#hasFound ||= addresses.length > 0
    if (found.length > 0) this.#owner.found(addresses, found.length === answers.length)
    if (this.#isAskedAgain) {
      this.#isAskedAgain = false
      this.ask()
    } else if (!this.#hasFound) {
      this.#askAfter(Math.max(ASK_INTERVAL_MS, this.#settings.lookupdPollIntervalMs / ASKS_UNTIL_FOUND))
    }
  }

  async #askOne(address: LookupAddress): Promise<readonly string[] | null> {
    const { topic, lookupdTimeoutMs, lookupdAuthorization, connection } = this.#settings
    const lookup = lookUp(address, {
      topic,
      timeoutMs: lookupdTimeoutMs,
      bearer: lookupdAuthorization ? connection.authSecret : '',
      tls: connection.tls,
      clock: this.#surroundings.clock,
    })
    this.#lookups.push(lookup)
    try {
      return await lookup.answer
    } catch (error) {
      if (!this.#isClosed) this.#owner.lookupFailed(address.text, error as NsqError)
      return null
    }
  }

  close(): void {
    this.#isClosed = true
    this.#pollTimer?.cancel()
    this.#askTimer?.cancel()
    for (const lookup of this.#lookups) lookup.cancel()
  }
}
