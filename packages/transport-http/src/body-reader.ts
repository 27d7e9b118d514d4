import type { HttpError } from '@spillway/http'
import type { BodySink } from './bodies/body-sink.js'
import type { HttpRequest } from './request.js'

/** What is thrown away of a body that is not wanted, before its connection is cut: the answer is there to be read until then. */
const DISCARD_BYTES_MAX = 64 * 1024 * 1024

/**
 * Gives the request's body to `sink`, once publishers may go on. The connection is not read from before that, so that a
 * client that goes on sending is held up by its own socket.
 */
export function readBody(request: HttpRequest, sink: BodySink): void {
  const { exchange } = request
  request.sink = sink
  request.on('close', onClose)
  if (exchange.broker.pressure === 'paused') waitForRelief(request)
  else flow(request)
}

/** Reads on and throws away, within a bound, so that the client gets to the answer. */
export function discardBody(request: HttpRequest): void {
  request.on('data', onUnwanted)
}

/** The rest of the body will not come: answers with `error`. */
export function abandonBody(request: HttpRequest, error: HttpError): void {
  takeSink(request)?.release()
  request.exchange.fail(error)
}

/** Whether a body comes with the request. */
export function hasBody(request: HttpRequest): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  return encoding !== undefined || (length !== undefined && length !== '0')
}

function waitForRelief(request: HttpRequest): void {
  const { socket } = request
  const { broker, connections } = request.exchange.node
  connections.hold(socket)
  broker.onRelief(() => {
    connections.letGo(socket)
    if (request.sink === null) return
    // Those who waited longer may have filled it up again.
    if (broker.pressure === 'paused') waitForRelief(request)
    else flow(request)
  })
}

function flow(request: HttpRequest): void {
  request.exchange.sendContinue()
  request.on('data', onData)
  request.on('end', onEnd)
}

function onData(this: HttpRequest, part: Buffer): void {
  if (this.sink === null) return
  try {
    this.sink.write(part)
  } catch (error) {
    takeSink(this)?.release()
    this.off('data', onData)
    this.exchange.fail(error)
  }
}

function onEnd(this: HttpRequest): void {
  const sink = takeSink(this)
  if (sink === null) return
  try {
    sink.end()
  } catch (error) {
    this.exchange.fail(error)
  } finally {
    sink.release()
  }
}

/** The client has gone before its body was complete. There is nobody to answer. */
function onClose(this: HttpRequest): void {
  takeSink(this)?.release()
}

function takeSink(request: HttpRequest): BodySink | null {
  const { sink } = request
  request.sink = null
  return sink
}

function onUnwanted(this: HttpRequest, part: Buffer): void {
  this.discardedBytes += part.length
  if (this.discardedBytes > DISCARD_BYTES_MAX) this.socket.destroy()
}
