import assert from 'node:assert/strict'
import type { Discovery, NodeAddress } from '../contracts/discovery.js'
import type { BrokerError } from '../errors.js'
import { isValidName } from '../names.js'
import { FakeClock } from './fake-clock.js'
import { seededRandom } from './seeded-random.js'
import { TestLogger } from './test-logger.js'

/** What a discovery is made with in a test: of a plugin's context, that which tests own. */
export interface DiscoveryTestParts {
  /** It stands still, unless the suite moves it. */
  readonly clock: FakeClock
  readonly random: () => number
  readonly logger: TestLogger
}

/** What a discovery's author gives to {@link testDiscovery}. */
export interface DiscoverySuite {
  /** Makes a discovery, not started yet, for which topics have these channels elsewhere, and others none. */
  create(
    elsewhere: Readonly<Record<string, readonly string[]>>,
    parts: DiscoveryTestParts,
  ): Discovery | Promise<Discovery>
  /**
   * Makes one that reaches nobody: all that it would ask is silent, or not there. `null` for one that asks nobody.
   * Time moves on while it is asked.
   */
  readonly createUnreachable: ((parts: DiscoveryTestParts) => Discovery | Promise<Discovery>) | null
}

/** A node as any other. */
export const SAMPLE_NODE_ADDRESS: NodeAddress = {
  broadcastAddress: '127.0.0.1',
  hostname: 'here',
  tcpPort: 4150,
  httpPort: 4151,
  version: '1.3.0',
  topologyRegion: '',
  topologyZone: '',
}

const ELSEWHERE = { orders: ['mail', 'audit'], lonely: ['only'] }
/** Longer than any timeout of a discovery ought to be. */
const LONG_MS = 60_000
const STEP_MS = 500

/**
 * The conformance suite for discoveries: defines mocha tests for every sentence of the contract that can be tested from
 * outside. Where they pass, the engine can rely on the discovery.
 *
 * ```js
 * testDiscovery({ create: (elsewhere) => new MyDiscovery({ topics: elsewhere }), createUnreachable: null })
 * ```
 */
export function testDiscovery({ create, createUnreachable }: DiscoverySuite): void {
  describe('Discovery contract', () => {
    let parts: DiscoveryTestParts
    let made: Discovery[] = []

    beforeEach(() => {
      parts = { clock: new FakeClock(), random: seededRandom(1), logger: new TestLogger() }
    })
    afterEach(async () => {
      for (const discovery of made) await discovery.stop()
      made = []
    })

    async function make(elsewhere: Readonly<Record<string, readonly string[]>> = ELSEWHERE): Promise<Discovery> {
      const discovery = await create(elsewhere, parts)
      made.push(discovery)
      return discovery
    }

    async function started(): Promise<Discovery> {
      const discovery = await make()
      discovery.start(SAMPLE_NODE_ADDRESS)
      return discovery
    }

    const channelsIn = async (discovery: Discovery, topic: string) => [...(await discovery.channelsOf(topic))].sort()

    it('start, announcements: return at once, and nothing', async () => {
      const discovery = await make()
      const returned = [discovery.start(SAMPLE_NODE_ADDRESS), ...announceSome(discovery)]
      assert.deepEqual(
        returned.filter((value) => value !== undefined),
        [],
      )
    })

    it('start: takes a node without ports, and with an address of IPv6', async () => {
      const discovery = await make()
      discovery.start({ ...SAMPLE_NODE_ADDRESS, broadcastAddress: '::1', tcpPort: 0, httpPort: 0 })
      announceSome(discovery)
    })

    it('channelsOf: the channels that a topic has elsewhere, each once', async () => {
      const discovery = await started()
      assert.deepEqual(await channelsIn(discovery, 'orders'), ['audit', 'mail'])
      assert.deepEqual(await channelsIn(discovery, 'lonely'), ['only'])
    })

    it('channelsOf: none of a topic that is nowhere else, whatever its name', async () => {
      const discovery = await started()
      for (const topic of ['other', 'order', 'orders2', 'orders#ephemeral', '*', '.', 't'.repeat(64), 'toString']) {
        assert.deepEqual(await discovery.channelsOf(topic), [], topic)
      }
    })

    it('channelsOf: may be asked many times at once, and each time anew', async () => {
      const discovery = await started()
      const answers = await Promise.all(Array.from({ length: 40 }, () => channelsIn(discovery, 'orders')))
      for (const answer of answers) assert.deepEqual(answer, ['audit', 'mail'])
      assert.deepEqual(await channelsIn(discovery, 'orders'), ['audit', 'mail'])
    })

    it('channelsOf: gives names of channels, as a list of its own', async () => {
      const discovery = await started()
      const first = (await discovery.channelsOf('orders')) as string[]
      for (const name of first) assert.ok(isValidName(name), name)
      first.length = 0
      assert.equal((await discovery.channelsOf('orders')).length, 2)
    })

    it('announcements: of what is there already, or is not there, do no harm', async () => {
      const discovery = await started()
      discovery.channelDeleted('never', 'was')
      discovery.topicDeleted('never')
      for (const topic of ['orders', 'orders']) {
        discovery.topicCreated(topic)
        discovery.channelCreated(topic, 'mail')
      }
      discovery.channelDeleted('orders', 'other')
      assert.deepEqual(await channelsIn(discovery, 'orders'), ['audit', 'mail'])
    })

    it('two of them do not know of each other', async () => {
      const [first, second] = [await started(), await make({ orders: ['other'] })]
      second.start(SAMPLE_NODE_ADDRESS)
      assert.deepEqual(await channelsIn(second, 'orders'), ['other'])
      await second.stop()
      assert.deepEqual(await channelsIn(first, 'orders'), ['audit', 'mail'])
    })

    it('settings: the same list all the time, with names, values, and refusals by their code', async () => {
      const discovery = await make()
      const { settings } = discovery
      const check = (): void => {
        assert.equal(discovery.settings, settings)
        for (const { name, get, set } of settings) {
          assert.match(name, /^\w+$/)
          assert.notEqual(JSON.stringify(get()), undefined, name)
          const before = JSON.stringify(get())
          try {
            set?.('\0')
          } catch (error) {
            // By its code: a plugin may have brought a copy of core of its own.
            assert.equal((error as BrokerError).code, 'E_INVALID_OPTION', String(error))
            assert.equal(JSON.stringify(get()), before, `${name} changed although it was refused`)
          }
        }
      }
      check()
      discovery.start(SAMPLE_NODE_ADDRESS)
      check()
      await discovery.stop()
      check()
    })

    it('stop: may come without start, twice, and twice at once', async () => {
      await (await make()).stop()
      const discovery = await started()
      announceSome(discovery)
      await Promise.all([discovery.stop(), discovery.stop()])
      await discovery.stop()
    })

    it('stop: leaves no timer, and nothing sets one afterwards', async () => {
      const discovery = await started()
      announceSome(discovery)
      await channelsIn(discovery, 'orders')
      await discovery.stop()
      assert.equal(parts.clock.timerCount, 0)
      announceSome(discovery)
      await settled(discovery.channelsOf('orders'))
      assert.equal(parts.clock.timerCount, 0)
    })

    it('stop: settles what is being asked', async () => {
      const discovery = await started()
      const asked = [settled(discovery.channelsOf('orders')), settled(discovery.channelsOf('other'))]
      await discovery.stop()
      await Promise.all(asked)
    })

    it('stop: may follow start at once', async () => {
      const discovery = await make()
      discovery.start(SAMPLE_NODE_ADDRESS)
      await discovery.stop()
      assert.equal(parts.clock.timerCount, 0)
    })

    describe('when it reaches nobody', () => {
      const itIfItAsks = createUnreachable === null ? it.skip : it

      async function alone(): Promise<Discovery> {
        const discovery = (await createUnreachable?.(parts)) as Discovery
        made.push(discovery)
        discovery.start(SAMPLE_NODE_ADDRESS)
        return discovery
      }

      itIfItAsks('stays out of the way: announcements and questions are as ever, and the answer is none', async () => {
        const discovery = await alone()
        announceSome(discovery)
        const asked = settled(discovery.channelsOf('orders'))
        const hasSettled = await passes(parts.clock, asked)
        assert.ok(hasSettled, `channelsOf had not settled after ${LONG_MS} ms`)
        const channels = await asked
        assert.ok(channels === null || channels.length === 0)
        announceSome(discovery)
      })

      itIfItAsks('says so in the log, and not again and again', async () => {
        const discovery = await alone()
        announceSome(discovery)
        await passes(parts.clock, new Promise(() => {}))
        const count = parts.logger.lines.filter(({ level }) => level !== 'debug').length
        assert.ok(count > 0, 'nothing was logged')
        assert.ok(count <= 3, `${count} lines were logged within ${LONG_MS} ms`)
      })

      itIfItAsks('stop: is not held up', async () => {
        const discovery = await alone()
        const asked = settled(discovery.channelsOf('orders'))
        await discovery.stop()
        await asked
        assert.equal(parts.clock.timerCount, 0)
      })
    })
  })
}

function announceSome(discovery: Discovery): unknown[] {
  return [
    discovery.topicCreated('t'),
    discovery.channelCreated('t', 'c'),
    discovery.channelCreated('t', 'gone#ephemeral'),
    discovery.channelDeleted('t', 'gone#ephemeral'),
    discovery.topicCreated('u'),
    discovery.topicDeleted('u'),
  ]
}

/** The channels, or `null` where it rejects: the contract allows both where they cannot be had. */
function settled(asked: Promise<readonly string[]>): Promise<readonly string[] | null> {
  return asked.catch(() => null)
}

/** Lets time pass in steps, so that what happens on sockets has its turns. @returns whether `work` ended meanwhile */
async function passes(clock: FakeClock, work: Promise<unknown>): Promise<boolean> {
  let hasEnded = false
  void work.then(() => {
    hasEnded = true
  })
  for (let passedMs = 0; passedMs < LONG_MS && !hasEnded; passedMs += STEP_MS) await clock.advanceAsync(STEP_MS)
  return hasEnded
}
