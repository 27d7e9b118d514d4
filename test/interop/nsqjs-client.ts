import { once } from 'node:events'
import { type ConnectionOptions, Reader, Writer } from 'nsqjs'
import type { RunningBroker } from '../support/start-broker.js'
import { within } from '../support/within.js'
import { bodyOf } from './message-plan.js'
import { PLAIN, type Way } from './ways.js'

const CONNECT_LIMIT_MS = 30_000
const MESSAGES_PER_MPUB = 500

const openReaders = new Set<Reader>()

/** A reader that is connected and subscribed. Set `on('message')` in `prepare`: messages may come at once. */
export async function openReader(
  broker: RunningBroker,
  topic: string,
  channel: string,
  options: ConnectionOptions,
  prepare: (reader: Reader) => void,
): Promise<Reader> {
  const reader = new Reader(topic, channel, { nsqdTCPAddresses: [broker.tcpAddress], ...options })
  openReaders.add(reader)
  prepare(reader)
  const isReady = once(reader, 'ready')
  reader.connect()
  await within(isReady, CONNECT_LIMIT_MS, 'an nsqjs reader that is ready')
  return reader
}

/** Closes and waits until the connection is gone. */
export async function closeReader(reader: Reader): Promise<void> {
  openReaders.delete(reader)
  const isClosed = once(reader, 'nsqd_closed')
  reader.close()
  await within(isClosed, CONNECT_LIMIT_MS, 'an nsqjs reader that is closed')
}

/** Closes what a failed test has left open: an open reader keeps the process alive. */
export function closeForgottenReaders(): void {
  for (const reader of openReaders) reader.close()
  openReaders.clear()
}

/** What nsqjs calls what a way asks for. */
export function optionsFor({ tls, compression, secret }: Way): ConnectionOptions {
  return {
    tls,
    tlsVerification: false,
    deflate: compression === 'deflate',
    snappy: compression === 'snappy',
    ...(secret === '' ? {} : { authSecret: secret }),
  }
}

async function openWriter(broker: RunningBroker, way: Way): Promise<Writer> {
  const writer = new Writer('127.0.0.1', broker.tcpPort, optionsFor(way))
  writer.connect()
  await within(once(writer, 'ready'), CONNECT_LIMIT_MS, 'an nsqjs writer that is ready')
  return writer
}

async function closeWriter(writer: Writer): Promise<void> {
  const isClosed = once(writer, 'closed')
  writer.close()
  await within(isClosed, CONNECT_LIMIT_MS, 'an nsqjs writer that is closed')
}

/** Publishes messages 0 to `messageCount` - 1 in order, a batch after the other. */
export async function publishAll(
  broker: RunningBroker,
  topic: string,
  messageCount: number,
  way = PLAIN,
): Promise<void> {
  const writer = await openWriter(broker, way)
  for (let first = 0; first < messageCount; first += MESSAGES_PER_MPUB) {
    const size = Math.min(MESSAGES_PER_MPUB, messageCount - first)
    await publish(
      writer,
      topic,
      Array.from({ length: size }, (_, index) => Buffer.from(bodyOf(first + index))),
    )
  }
  await closeWriter(writer)
}

function publish(writer: Writer, topic: string, messages: readonly Buffer[]): Promise<void> {
  return new Promise((resolve, reject) => {
    writer.publish(topic, messages, (error) => (error ? reject(error) : resolve()))
  })
}
