import { IncomingMessage } from 'node:http'
import type { BodySink } from './bodies/body-sink.js'
import type { Exchange } from './exchange.js'

/**
 * Node's request with room for what the listeners of its body need: they find it here, so that no listener has to be
 * made for each request.
 */
export class HttpRequest extends IncomingMessage {
  /** Set before anything looks at it. */
  declare exchange: Exchange
  /** Takes the body, as long as it is wanted. */
  sink: BodySink | null = null
  /** How much of an unwanted body was thrown away. */
  discardedBytes = 0
}
