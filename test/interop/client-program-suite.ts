import assert from 'node:assert/strict'
import type { Command } from '../support/program.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { allReady, settled } from './channel-waits.js'
import { ClientProgram } from './client-program.js'
import { plannedCounts } from './message-plan.js'
import { publishAll } from './nsqjs-client.js'
import type { Unavailable } from './unavailable.js'

const ROUND_TRIP_MESSAGES = 100_000
const ROUND_TRIP_LIMIT_MS = 120_000
const MSG_TIMEOUT_MS = 3_000
const PREPARE_LIMIT_MS = 300_000

/**
 * What every foreign client must be able to do with the broker. `prepare` builds or installs the program and says how
 * to run it, or why that cannot be done here: then the tests are skipped and the reason is printed.
 */
export function testClientProgram(name: string, prepare: () => Promise<Command | Unavailable>): void {
  describe(name, () => {
    let broker: RunningBroker | undefined
    let command: Command

    before(async function () {
      this.timeout(PREPARE_LIMIT_MS)
      const prepared = await prepare()
      if ('unavailable' in prepared) {
        console.log(`    ${name} is skipped: ${prepared.unavailable}`)
        return this.skip()
      }
      command = prepared
      broker = await startBroker()
    })
    after(async () => {
      await broker?.stop()
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
      const program = new ClientProgram(command, 'round-trip', broker, {
        topic: 'round-trip',
        channel: 'foreign',
        messageCount: ROUND_TRIP_MESSAGES,
        msgTimeoutMs: MSG_TIMEOUT_MS,
        limitMs: ROUND_TRIP_LIMIT_MS,
      })
      const planned = plannedCounts(ROUND_TRIP_MESSAGES)
      assert.deepEqual(await program.result(), { finished: ROUND_TRIP_MESSAGES, ...planned })
      const stats = await settled(broker, 'round-trip', 'foreign')
      assert.equal(stats.message_count, ROUND_TRIP_MESSAGES)
      assert.equal(stats.requeue_count, planned.requeued)
      assert.equal(stats.timeout_count, planned.timedOut)
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

    it('sees the connection end when the broker stops', async () => {
      const stopping = await startBroker()
      const program = new ClientProgram(command, 'outlive', stopping, { topic: 'outlive', channel: 'foreign' })
      await program.connected()
      await allReady(stopping, 'outlive', 'foreign', 1)
      assert.deepEqual(await stopping.stop(), { code: 0, signal: null })
      assert.deepEqual(await program.result(), { disconnected: true })
    })
  })
}
