import { createServer, type Server } from 'node:http'
import type { FlagValues } from '../../go-flags.js'
import { makeConsumer } from '../common/consume.js'
import { consumerBaseOf, DRAIN_LIMIT_MS } from '../common/consumer-flags.js'
import { FatalError } from '../common/fatal-error.js'
import { makeProducer, producerBaseOf } from '../common/producer-flags.js'
import { runTool, type Tool, type ToolContext, whenAborted } from '../common/run-tool.js'
import { NSQ_PUBSUB_FLAGS } from './flags.js'
import { Publishing } from './publishing.js'
import { Service } from './service.js'

type NsqPubsubValues = FlagValues<typeof NSQ_PUBSUB_FLAGS>

const MIB = 1024 * 1024
/** Beside the readers of /sub; more wait in the system's queue. */
const OTHER_CONNECTIONS_MAX = 1_000

export const NSQ_PUBSUB: Tool<typeof NSQ_PUBSUB_FLAGS> = {
  name: 'nsq_pubsub',
  summary:
    'Publishes and consumes over HTTP: POST /pub?topic=, POST /mpub?topic=, GET /sub?topic=&channel=, GET /stats. Whoever reaches the address may do both: it asks nobody who they are.',
  flags: NSQ_PUBSUB_FLAGS,
  examples: [
    '--nsqd-tcp-address=127.0.0.1:4150',
    '--lookupd-http-address=127.0.0.1:4161 --destination-nsqd-tcp-address=127.0.0.1:4150',
  ],
  run: nsqPubsub,
}

async function nsqPubsub(
  values: NsqPubsubValues,
  { stop, status, surroundings, openLogger }: ToolContext,
): Promise<number> {
  const { host, port, readersMax, bodySizeBytesMax } = checkValues(values)
  const base = consumerBaseOf('nsq_pubsub', values)
  const addresses = values['destination-nsqd-tcp-address'] ?? values['nsqd-tcp-address'] ?? []
  const logger = openLogger('info')
  const producerBase = { ...producerBaseOf('nsq_pubsub', values['producer-opt']), failFast: true }
  const producer = addresses.length === 0 ? null : makeProducer({ ...producerBase, addresses }, logger)
  const publishing = new Publishing(producer)
  const service = new Service({
    publishing,
    bodySizeBytesMax,
    readersMax,
    openConsumer: (topic, channel) => makeConsumer({ ...base, topic, channel }, logger),
    random: Math.random,
    nowMs: () => surroundings.clock.monotonicMs(),
  })
  const server = createServer((request, response) => void service.handle(request, response))
  server.maxConnections = readersMax + OTHER_CONNECTIONS_MAX
  await listen(server, host, port)
  logger.info(`listening on ${addressOf(server)}`)
  status.start('messages', () => publishing.publishedCount + service.deliveredCount)
  await whenAborted(stop)
  await closeServer(server, service)
  await producer?.close()
  return 0
}

function checkValues(values: NsqPubsubValues) {
  const { 'http-address': address = '127.0.0.1:8080', 'max-subscribers': readersMax = 100 } = values
  const [, host, port] = /^(?:\[?(.*?)\]?):(\d{1,5})$/.exec(address) ?? []
  if (host === undefined || Number(port) > 65_535)
    throw new FatalError(`--http-address ${JSON.stringify(address)} is not host:port`)
  if (readersMax < 0) throw new FatalError('--max-subscribers must be 0 or more')
  const bodySizeBytesMax = values['max-msg-size'] ?? MIB
  if (bodySizeBytesMax < 1 || bodySizeBytesMax > 256 * MIB)
    throw new FatalError('--max-msg-size must be from 1 byte to 256MiB')
  return { host, port: Number(port), readersMax, bodySizeBytesMax }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new FatalError(`cannot listen: ${error.message}`)))
    // Without a host, everybody's.
    server.listen({ port, ...(host === '' ? {} : { host }) }, resolve)
  })
}

function addressOf(server: Server): string {
  const address = server.address()
  if (address === null || typeof address === 'string') return `${address}`
  return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`
}

/** Takes no more requests, and lets those that are here end, within a bound. */
async function closeServer(server: Server, service: Service): Promise<void> {
  const limit = setTimeout(() => server.closeAllConnections(), DRAIN_LIMIT_MS)
  const closed = new Promise((resolve) => server.close(resolve))
  await service.close()
  server.closeIdleConnections()
  await closed
  clearTimeout(limit)
}

export const main = (args: readonly string[]): Promise<number> => runTool(NSQ_PUBSUB, args)
