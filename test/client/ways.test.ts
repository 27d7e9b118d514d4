import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { type ConnectionOptions, Consumer, type NsqError, Producer } from '@spillway/client'
import { AuthServer, GOOD_SECRET } from '../interop/auth-server.js'
import { bodyOf } from '../interop/message-plan.js'
import { assertNegotiated, CHANGED_STREAMS, PLAIN, type Way } from '../interop/ways.js'
import { CertificateFiles } from '../support/certificate-files.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { within } from '../support/within.js'

const LIMIT_MS = 30_000
const MESSAGES = 5_000

/** Every way in which a connection can be changed, against a broker that runs. */
describe('client: ways to connect', function () {
  this.timeout(60_000)
  const certificate = new CertificateFiles()
  let authServer: AuthServer
  let broker: RunningBroker
  let guarded: RunningBroker
  let ca: string

  before(async () => {
    const flags = await certificate.flags()
    const path = flags.find((flag) => flag.startsWith('--tls-cert='))?.slice('--tls-cert='.length) ?? ''
    ca = await readFile(path, 'utf8')
    authServer = await AuthServer.start()
    broker = await startBroker({ flags: [...flags, '--mem-queue-size=100000'] })
    guarded = await startBroker({ flags: [`--auth-http-address=${authServer.address}`] })
  })
  after(async () => {
    await Promise.all([broker.stop(), guarded.stop()])
    await authServer.stop()
    await certificate.remove()
  })

  const optionsFor = ({ tls, compression, secret }: Way): ConnectionOptions => ({
    tls: tls ? { ca } : false,
    compression,
    authSecret: secret,
  })

  async function roundTrip(at: RunningBroker, topic: string, way: Way): Promise<void> {
    const options = { address: at.tcpAddress, ...optionsFor(way) }
    const producer = new Producer(options)
    const consumer = new Consumer({ topic, channel: 'c', maxInFlight: 200, ...options })
    try {
      await producer.publish(topic, bodyOf(0))
      let next = 0
      const isDone = new Promise<void>((resolve, reject) => {
        void consumer.run((message) => {
          if (message.text() !== bodyOf(next)) reject(new Error(`${message.text()} instead of ${next}`))
          if (++next === MESSAGES) resolve()
        })
      })
      for (let serial = 1; serial < MESSAGES; ) {
        const end = Math.min(MESSAGES, serial + 500)
        const singles = Array.from({ length: end - serial }, (_, index) => bodyOf(serial + index))
        const half = singles.splice(250)
        await Promise.all(singles.map((body) => producer.publish(topic, body)))
        await producer.publishMany(topic, half)
        serial = end
      }
      await within(isDone, LIMIT_MS, 'all of them')
      await assertNegotiated(at, topic, 'c', way)
    } finally {
      await Promise.all([producer.close(), consumer.close()])
    }
  }

  for (const way of CHANGED_STREAMS) {
    it(`publishes and consumes over ${way.name}`, () => roundTrip(broker, `way-${way.name.replaceAll(' ', '-')}`, way))
  }

  it('publishes and consumes after AUTH', () => roundTrip(guarded, 'open-orders', { ...PLAIN, secret: GOOD_SECRET }))

  it('says that it may not publish, and goes on', async () => {
    const producer = new Producer({ address: guarded.tcpAddress, authSecret: GOOD_SECRET })
    try {
      const closed = producer.publish('closed-orders', 'x')
      await assert.rejects(closed, { code: 'E_UNAUTHORIZED' })
      await producer.publish('open-orders', 'x')
    } finally {
      await producer.close()
    }
  })

  it('does not connect to a node whose certificate it does not know', async () => {
    const producer = new Producer({ address: broker.tcpAddress, tls: true, publishTimeoutMs: 500 })
    try {
      await assert.rejects(producer.publish('t', 'x'), (error: NsqError) => {
        assert.equal(error.code, 'E_TIMEOUT')
        assert.match((error.cause as NsqError).message, /self-signed|certificate/)
        return true
      })
    } finally {
      await producer.close()
    }
  })
})
