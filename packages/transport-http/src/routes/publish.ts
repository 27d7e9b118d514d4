import type { Broker, Topic } from '@spillway/core'
import { booleanParam, HttpError, type Params, parseParams } from '@spillway/http'
import { openTopicOf } from '../addressed.js'
import { BinaryBatch } from '../bodies/binary-batch.js'
import { MessageBody } from '../bodies/message-body.js'
import { TextBatch } from '../bodies/text-batch.js'
import type { Exchange } from '../exchange.js'
import type { Route } from './route.js'

export const publishRoutes: readonly Route[] = [
  { method: 'POST', path: '/pub', access: 'publish', handle: pub },
  { method: 'POST', path: '/mpub', access: 'publish', handle: mpub },
]

/** One message. The body is looked at before the query: that is nsqd's order, and so is that of its errors. */
function pub(exchange: Exchange): void {
  if (exchange.bodySizeBytesDeclared > exchange.broker.options.msgSizeBytesMax) throw new HttpError(413, 'MSG_TOO_BIG')
  exchange.readBody(new MessageBody(exchange, publishMessage))
}

function publishMessage(exchange: Exchange, bytes: Uint8Array, end: number): void {
  const { topic, delayMs } = destinationOf(exchange)
  if (delayMs === 0) topic.publish(bytes, 0, end, 1, exchange, 0)
  else topic.publishDeferred(bytes, 0, end, delayMs, exchange, 0)
}

interface Destination {
  readonly topic: Topic
  readonly delayMs: number
}

/** Where the query of a `/pub` has its message go, and how much later. @throws HttpError 400, BrokerError `E_EXITING`. */
export function destinationOf({
  broker,
  rawQuery,
}: {
  readonly broker: Broker
  readonly rawQuery: string
}): Destination {
  const params = parseParams(rawQuery)
  const topic = openTopicOf({ broker }, params)
  return { topic, delayMs: deferOf(params, broker.options.reqTimeoutMsMax) }
}

function deferOf(params: Params, delayMsMax: number): number {
  const text = params.get('defer')
  if (text === undefined) return 0
  const delayMs = /^[+-]?[0-9]+$/.test(text) ? Number(text) : -1
  if (delayMs < 0 || delayMs > delayMsMax) throw new HttpError(400, 'INVALID_DEFER')
  return delayMs
}

/** Many messages, all or none. The topic exists from here on, even when the body turns out to be bad. */
function mpub(exchange: Exchange): void {
  if (exchange.bodySizeBytesDeclared > exchange.broker.options.bodySizeBytesMax) {
    throw new HttpError(413, 'BODY_TOO_BIG')
  }
  const params = parseParams(exchange.rawQuery)
  const topic = openTopicOf(exchange, params)
  const isBinary = params.has('binary') && booleanParam(params, 'binary', true)
  exchange.readBody(isBinary ? new BinaryBatch(exchange, topic) : new TextBatch(exchange, topic))
}
