import { Producer } from '@spillway/client'
import { eventually } from './eventually.js'
import { RestartableBroker } from './restartable-broker.js'
import { type RunningLookupd, startNsqlookupd } from './start-nsqlookupd.js'

const BROKERS = 3
const IN_FLIGHT = 20
/** Publishers wait while more than this is acknowledged and not received: the slowest client is not to fall behind. */
const AHEAD_MAX = 2_000
const LIMIT_MS = 60_000

/** Three brokers that one nsqlookupd knows, what was published to each, and what a consumer got of it. */
export class TestCluster {
  readonly lookupd: RunningLookupd
  readonly brokers: readonly RestartableBroker[]
  readonly #producers: readonly Producer[]
  readonly #acknowledged: Set<string>[] = Array.from({ length: BROKERS }, () => new Set())
  readonly #received: Set<string>[] = Array.from({ length: BROKERS }, () => new Set())
  readonly #topic: string
  #isPublishing = false
  #publishers: Promise<void>[] = []

  private constructor(topic: string, lookupd: RunningLookupd, brokers: readonly RestartableBroker[]) {
    this.#topic = topic
    this.lookupd = lookupd
    this.brokers = brokers
    const timings = { publishTimeoutMs: LIMIT_MS, reconnectDelayMs: 20, reconnectDelayMsMax: 200 }
    this.#producers = brokers.map(({ address }) => new Producer({ address, retry: true, ...timings }))
  }

  static async start(topic: string, flags: readonly string[] = []): Promise<TestCluster> {
    const lookupd = await startNsqlookupd()
    const registered = ['--broadcast-address=127.0.0.1', `--lookupd-tcp-address=${lookupd.tcpAddress}`, ...flags]
    const brokers = await Promise.all(Array.from({ length: BROKERS }, () => RestartableBroker.start(registered)))
    return new TestCluster(topic, lookupd, brokers)
  }

  /** Every broker has the topic, so that whoever asks nsqlookupd for it finds them all. */
  async createTopic(): Promise<void> {
    await Promise.all(this.brokers.map(({ http }) => http.post(`/topic/create?topic=${this.#topic}`)))
    await this.#untilLookedUp(BROKERS)
  }

  /** Begins to publish to every broker, each message with the broker's number. */
  publish(): void {
    this.#isPublishing = true
    this.#publishers = this.#producers.map((producer, broker) => this.#publishTo(producer, broker))
  }

  /** Resolves when what was begun is acknowledged. */
  async stopPublishing(): Promise<void> {
    this.#isPublishing = false
    await Promise.all(this.#publishers)
  }

  received(body: string): void {
    this.#received[Number(body[0])].add(body)
  }

  acknowledgedCount(broker: number): number {
    return this.#acknowledged[broker].size
  }

  /** Different messages of one broker that were received. */
  receivedCount(broker: number): number {
    return this.#received[broker].size
  }

  /** Waits until so many more messages of a broker have been received. */
  async untilReceivedMore(broker: number, count: number): Promise<void> {
    const before = this.receivedCount(broker)
    const what = `${count} more messages of broker ${broker}, ${before} received before`
    await eventually(() => (this.receivedCount(broker) >= before + count ? true : undefined), LIMIT_MS, what)
  }

  /** What was acknowledged and has not been received. */
  missing(): string[] {
    return this.#acknowledged.flatMap((bodies, broker) =>
      [...bodies].filter((body) => !this.#received[broker].has(body)),
    )
  }

  async untilNothingIsMissing(): Promise<void> {
    await eventually(() => (this.missing().length === 0 ? true : undefined), LIMIT_MS, 'everything acknowledged')
  }

  async discard(): Promise<void> {
    this.#isPublishing = false
    await Promise.all(this.#producers.map((producer) => producer.close()))
    await Promise.allSettled(this.#publishers)
    await Promise.all(this.brokers.map((broker) => broker.discard()))
    await this.lookupd.stop()
  }

  async #publishTo(producer: Producer, broker: number): Promise<void> {
    const acknowledged = this.#acknowledged[broker]
    for (let serial = 0; this.#isPublishing; ) {
      const bodies = Array.from({ length: IN_FLIGHT }, () => `${broker} ${serial++}`)
      await Promise.all(
        bodies.map(async (body) => {
          await producer.publish(this.#topic, body)
          acknowledged.add(body)
        }),
      )
      const isAhead = (): boolean => acknowledged.size - this.receivedCount(broker) > AHEAD_MAX
      if (isAhead())
        await eventually(() => (isAhead() && this.#isPublishing ? undefined : true), LIMIT_MS, 'a consumer')
    }
  }

  async #untilLookedUp(count: number): Promise<void> {
    await eventually(
      async () => {
        const { text } = await this.lookupd.http.get(`/lookup?topic=${this.#topic}`)
        return (JSON.parse(text) as { producers?: unknown[] }).producers?.length === count ? true : undefined
      },
      LIMIT_MS,
      `${count} brokers in nsqlookupd`,
    )
  }
}
