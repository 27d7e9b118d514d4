import { bodyOf, serialOf } from './message-plan.js'

/** Holds every delivery of a run against what was published: nothing foreign, nothing torn, nothing twice, nothing lost. */
export class DeliveryLedger {
  readonly #messageCount: number
  readonly #deliveries: Uint16Array
  readonly #finished: Uint8Array
  #finishedCount = 0

  constructor(messageCount: number) {
    this.#messageCount = messageCount
    this.#deliveries = new Uint16Array(messageCount)
    this.#finished = new Uint8Array(messageCount)
  }

  get finishedCount(): number {
    return this.#finishedCount
  }

  get isComplete(): boolean {
    return this.#finishedCount === this.#messageCount
  }

  /** Notes a delivery and returns the serial number; throws when body or attempts are not what they must be. */
  deliver(body: Buffer, attempts: number): number {
    const text = body.toString('latin1')
    const serial = serialOf(text)
    if (!(serial >= 0 && serial < this.#messageCount) || text !== bodyOf(serial)) {
      throw new Error(`a body that nobody published: ${text}`)
    }
    if (this.#finished[serial] === 1) throw new Error(`message ${serial} came again after it was finished`)
    const expected = ++this.#deliveries[serial]
    if (attempts !== expected) throw new Error(`message ${serial} has attempts ${attempts} on delivery ${expected}`)
    return serial
  }

  finish(serial: number): void {
    this.#finished[serial] = 1
    this.#finishedCount++
  }
}
