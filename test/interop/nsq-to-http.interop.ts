import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { OurPrograms } from '../support/our-programs.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { settled } from './channel-waits.js'
import { NsqPrograms } from './nsq-programs.js'
import { publishAll } from './nsqjs-client.js'
import { assertEachOnce } from './published-lines.js'

const REFUSED_COUNT = 3

for (const isOurs of [false, true]) {
  describe(isOurs ? 'nsq_to_http, ours' : 'nsq_to_http', () => {
    const originals = new NsqPrograms('nsq_to_http')
    const programs = isOurs ? new OurPrograms() : originals
    const accepted: string[] = []
    let broker: RunningBroker | undefined
    let server: Server | undefined
    let url = ''
    let refusalsLeft = 0

    before(async function () {
      await originals.prepare(this)
      server = createServer(async (request, response) => {
        const body = await text(request)
        if (refusalsLeft > 0) {
          refusalsLeft--
          response.statusCode = 500
        } else {
          accepted.push(body)
        }
        response.end()
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
      broker = await startBroker()
    })
    afterEach(() => {
      originals.killForgotten()
      programs.killForgotten()
    })
    after(async () => {
      server?.closeAllConnections()
      server?.close()
      await broker?.stop()
    })

    it('posts each message until it is accepted: what was refused is requeued, after it has backed off', async () => {
      assert.ok(broker)
      const messageCount = 1_000
      refusalsLeft = REFUSED_COUNT
      await publishAll(broker, 'posted', messageCount)
      const poster = programs.start('nsq_to_http', [
        `--nsqd-tcp-address=${broker.tcpAddress}`,
        '--topic=posted',
        '--channel=post',
        `--post=${url}`,
        '--consumer-opt=default_requeue_delay,20ms',
        '--consumer-opt=backoff_multiplier,20ms',
      ])
      const stats = await settled(broker, 'posted', 'post')
      assert.deepEqual(await poster.stop(), { code: 0, signal: null })
      assertEachOnce(accepted, messageCount)
      assert.deepEqual([stats.requeue_count, stats.timeout_count], [REFUSED_COUNT, 0])
    })
  })
}
