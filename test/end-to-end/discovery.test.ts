import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../support/eventually.js'
import { SpillwayBroker, type SpillwaySetup } from '../support/spillway-broker.js'

const LIMIT_MS = 8_000
const OK = { status: 200, text: 'OK' }

describe('discovery', () => {
  let folder = ''
  let broker: SpillwayBroker | undefined
  let silent: Server
  let sockets: Socket[]
  let heard: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spillway-discovery-'))
    sockets = []
    heard = ''
    silent = createServer((socket) => {
      sockets.push(socket)
      socket
        .on('error', () => {})
        .on('data', (bytes) => {
          heard += bytes.toString('latin1')
        })
    }).listen(0, '127.0.0.1')
    await once(silent, 'listening')
  })
  afterEach(async () => {
    broker?.discard()
    for (const socket of sockets) socket.destroy()
    silent.close()
    await rm(folder, { recursive: true, force: true })
  })

  const silentAddress = (): string => `127.0.0.1:${(silent.address() as AddressInfo).port}`

  async function start(setup: Omit<SpillwaySetup, 'dataPath'>): Promise<SpillwayBroker> {
    broker = await SpillwayBroker.start({ dataPath: folder, ...setup })
    return broker
  }

  const depthIn = ({ http }: SpillwayBroker, topic: string, channel: string, depth: number): Promise<true> =>
    eventually(
      async () => ((await http.channelStats(topic, channel))?.depth === depth ? true : undefined),
      LIMIT_MS,
      `${depth} messages in ${topic}/${channel}`,
    )

  it('gives the first message of a topic to the channels that the configuration lists', async () => {
    const options = { topics: { orders: ['mail'], '*': ['archive'] } }
    const node = await start({ discovery: [{ use: '@spillway/discovery-static', options }] })
    assert.deepEqual(await node.http.post('/pub?topic=orders', 'first'), OK)
    await depthIn(node, 'orders', 'mail', 1)
    await depthIn(node, 'orders', 'archive', 1)
  })

  it('makes no publisher wait for an nsqlookupd that is silent, consumers a while, and no stop', async () => {
    const options = { tcpAddresses: [silentAddress()], answerTimeoutMs: 60_000 }
    const node = await start({
      node: { discoveryTimeoutMsMax: 1_000 },
      discovery: [{ use: '@spillway/discovery-nsqlookupd', options }],
    })
    const startMs = performance.now()
    assert.deepEqual(await node.http.post('/pub?topic=orders', 'first'), OK)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs < 1_000, `a publish took ${tookMs} ms`)
    assert.deepEqual(await node.http.post('/channel/create?topic=orders&channel=c'), { status: 200, text: '' })
    await depthIn(node, 'orders', 'c', 1)
    assert.deepEqual(await node.program.stop(), { code: 0, signal: null })
  })

  it('registers with an nsqlookupd that is named while the node runs', async () => {
    const options = { tcpAddresses: [] }
    const node = await start({ discovery: [{ use: '@spillway/discovery-nsqlookupd', options }] })
    const list = JSON.stringify([silentAddress()])
    assert.deepEqual(await node.http.put('/config/nsqlookupd_tcp_addresses', list), { status: 200, text: list })
    await eventually(() => (heard.includes('"version":"1.3.0"') ? true : undefined), LIMIT_MS, 'IDENTIFY')
    assert.match(heard, /^ {2}V1IDENTIFY\n/)
  })
})
