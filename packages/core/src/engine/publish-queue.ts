import type { PublishWaiter } from '../contracts/broker.js'
import type { Sequence } from '../contracts/sequence.js'
import type { BrokerError } from '../errors.js'

/** Those who wait to hear of their publish, in order. Parallel arrays, since there is one entry for each publish. */
export class PublishQueue {
  #waiters: PublishWaiter[] = []
  #tokens: number[] = []
  /** The end of what was published; told once the log is committed up to there. */
  #ends: Sequence[] = []
  /** Why it was refused at once, or null. */
  #refusals: (BrokerError | null)[] = []
  #head = 0

  push(waiter: PublishWaiter, token: number, end: Sequence, refusal: BrokerError | null): void {
    this.#waiters.push(waiter)
    this.#tokens.push(token)
    this.#ends.push(end)
    this.#refusals.push(refusal)
  }

  /** Tells those whose turn it is: refused, or committed below `committedEnd`. */
  settle(committedEnd: Sequence): void {
    while (this.#head < this.#waiters.length) {
      const refusal = this.#refusals[this.#head]
      if (refusal === null && this.#ends[this.#head] > committedEnd) break
      this.#tell(refusal)
    }
    if (this.#head === this.#waiters.length) this.#clear()
    else if (this.#head >= 1024 && this.#head * 2 > this.#waiters.length) this.#compact()
  }

  /** Tells everybody who waits that it failed, except those who were refused for another reason. */
  failAll(error: BrokerError): void {
    while (this.#head < this.#waiters.length) this.#tell(this.#refusals[this.#head] ?? error)
    this.#clear()
  }

  #tell(refusal: BrokerError | null): void {
    const head = this.#head++
    if (refusal === null) this.#waiters[head].published(this.#tokens[head])
    else this.#waiters[head].publishFailed(this.#tokens[head], refusal)
  }

  #clear(): void {
    this.#head = 0
    this.#waiters = []
    this.#tokens = []
    this.#ends = []
    this.#refusals = []
  }

  #compact(): void {
    for (const array of [this.#waiters, this.#tokens, this.#ends, this.#refusals]) array.splice(0, this.#head)
    this.#head = 0
  }
}
