import assert from 'node:assert/strict'
import { CertificateFiles } from '../support/certificate-files.js'
import type { Command } from '../support/program.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { AuthServer, GOOD_SECRET } from './auth-server.js'
import { allReady, settled } from './channel-waits.js'
import { ClientProgram } from './client-program.js'
import { testClusterConsumer } from './cluster-suite.js'
import { plannedCounts } from './message-plan.js'
import { publishAll } from './nsqjs-client.js'
import type { Unavailable } from './unavailable.js'
import { assertNegotiated, CHANGED_STREAMS, PLAIN, type Way } from './ways.js'

const ROUND_TRIP_MESSAGES = 100_000
const CHANGED_STREAM_MESSAGES = 20_000
const ROUND_TRIP_LIMIT_MS = 120_000
const MSG_TIMEOUT_MS = 3_000
const PREPARE_LIMIT_MS = 300_000

/** Over which streams a client can be tested. */
export interface ClientStreams {
  /** It gets a message over these. */
  readonly managed: readonly Way[]
  /** It gets many over these. */
  readonly reliable: readonly Way[]
}

/**
 * What every foreign client must be able to do with the broker. `prepare` builds or installs the program and says how
 * to run it, or why that cannot be done here: then the tests are skipped and the reason is printed.
 */
export function testClientProgram(
  name: string,
  prepare: () => Promise<Command | Unavailable>,
  { managed, reliable }: ClientStreams = { managed: CHANGED_STREAMS, reliable: CHANGED_STREAMS },
): void {
  describe(name, () => {
    let broker: RunningBroker | undefined
    let command: Command
    const certificates = new CertificateFiles()

    before(async function () {
      this.timeout(PREPARE_LIMIT_MS)
      const prepared = await prepare()
      if ('unavailable' in prepared) {
        console.log(`    ${name} is skipped: ${prepared.unavailable}`)
        return this.skip()
      }
      command = prepared
      broker = await startBroker({ flags: await certificates.flags() })
    })
    after(async () => {
      await broker?.stop()
      await certificates.remove()
    })

    it('receives what curl published', async () => {
      assert.ok(broker)
      assert.deepEqual(await broker.http.post('/pub?topic=hello', 'hello'), { status: 200, text: 'OK' })
      const program = new ClientProgram(command, 'hello', broker, { topic: 'hello', channel: 'foreign' })
      assert.deepEqual(await program.result(), { body: 'hello', attempts: 1 })
      await settled(broker, 'hello', 'foreign')
    })

    it('brings 100,000 messages round, through requeues and timeouts, each exactly as planned', async function () {
      assert.ok(broker)
      this.timeout(ROUND_TRIP_LIMIT_MS)
      await roundTrip(command, broker, 'round-trip', PLAIN, ROUND_TRIP_MESSAGES)
    })

    it('shares a channel between its consumers, and gives every channel everything', async () => {
      assert.ok(broker)
      const messageCount = 3_000
      const program = new ClientProgram(command, 'sharing', broker, { topic: 'sharing', channel: '', messageCount })
      await program.connected()
      await allReady(broker, 'sharing', 'shared', 3)
      await allReady(broker, 'sharing', 'copy', 1)
      await publishAll(broker, 'sharing', messageCount)

      const { counts } = (await program.result()) as { counts: number[] }
      assert.equal(counts[3], messageCount)
      assert.equal(counts[0] + counts[1] + counts[2], messageCount)
      assert.ok(Math.min(...counts) > 0, `every consumer gets some: ${counts}`)
      await settled(broker, 'sharing', 'shared')
      await settled(broker, 'sharing', 'copy')
    })

    it('stops in the middle, and another consumer gets exactly the rest', async () => {
      assert.ok(broker)
      const messageCount = 20_000
      const options = { topic: 'handover', channel: 'foreign', messageCount }
      const program = new ClientProgram(command, 'handover', broker, options)
      const { byFirst, finished } = (await program.result()) as { byFirst: number; finished: number }
      assert.equal(finished, messageCount)
      assert.ok(byFirst >= 1_000 && byFirst < messageCount, `the first consumer leaves something: ${byFirst}`)
      const stats = await settled(broker, 'handover', 'foreign')
      assert.equal(stats.timeout_count, 0)
    })

    testClusterConsumer(async ({ lookupdHttpAddress, topic, channel, received }) => {
      const program = ClientProgram.ofCluster(command, lookupdHttpAddress, { topic, channel })
      program.onBody(received)
      await program.connected()
      return () => program.end()
    })

    it('sees the connection end when the broker stops', async () => {
      const stopping = await startBroker()
      const program = new ClientProgram(command, 'outlive', stopping, { topic: 'outlive', channel: 'foreign' })
      await program.connected()
      await allReady(stopping, 'outlive', 'foreign', 1)
      assert.deepEqual(await stopping.stop(), { code: 0, signal: null })
      assert.deepEqual(await program.result(), { disconnected: true })
    })

    for (const way of managed) {
      it(`receives what curl published over ${way.name}`, async () => {
        assert.ok(broker)
        const topic = `hello-over-${way.name.replaceAll(' ', '-')}`
        const program = new ClientProgram(command, 'hello', broker, { topic, channel: 'foreign', way })
        await assertNegotiated(broker, topic, 'foreign', way)
        await broker.http.post(`/pub?topic=${topic}`, 'hello')
        assert.deepEqual(await program.result(), { body: 'hello', attempts: 1 })
        await settled(broker, topic, 'foreign')
      })
    }

    for (const way of reliable) {
      it(`brings 20,000 messages round over ${way.name}`, async function () {
        assert.ok(broker)
        this.timeout(ROUND_TRIP_LIMIT_MS)
        await roundTrip(command, broker, `over-${way.name.replaceAll(' ', '-')}`, way, CHANGED_STREAM_MESSAGES)
      })
    }

    describe('where everybody must authenticate', () => {
      let authServer: AuthServer
      let closed: RunningBroker

      before(async () => {
        authServer = await AuthServer.start()
        const flags = [...(await certificates.flags()), `--auth-http-address=${authServer.address}`]
        closed = await startBroker({ flags })
      })
      after(async () => {
        await closed.stop()
        await authServer.stop()
      })

      for (const way of [PLAIN, ...reliable.slice(-1)]) {
        it(`brings 20,000 messages round with its secret (${way.name})`, async function () {
          this.timeout(ROUND_TRIP_LIMIT_MS)
          const topic = `open-${way.name.replaceAll(' ', '-')}`
          await roundTrip(command, closed, topic, { ...way, secret: GOOD_SECRET }, CHANGED_STREAM_MESSAGES)
        })
      }
    })
  })
}

/** Publishes and consumes at once, and holds what came of it against the plan and the broker's own counters. */
async function roundTrip(
  command: Command,
  broker: RunningBroker,
  topic: string,
  way: Way,
  messageCount: number,
): Promise<void> {
  const options = { topic, channel: 'foreign', messageCount, msgTimeoutMs: MSG_TIMEOUT_MS, way }
  const program = new ClientProgram(command, 'round-trip', broker, { ...options, limitMs: ROUND_TRIP_LIMIT_MS })
  const negotiated = assertNegotiated(broker, topic, 'foreign', way)
  const planned = plannedCounts(messageCount)
  const [result] = await Promise.all([program.result(), negotiated])
  assert.deepEqual(result, { finished: messageCount, ...planned })
  const stats = await settled(broker, topic, 'foreign')
  assert.equal(stats.message_count, messageCount)
  assert.equal(stats.requeue_count, planned.requeued)
  assert.equal(stats.timeout_count, planned.timedOut)
}
