import type { Socket } from 'node:net'
import { type Broker, refusalsOf } from '@spillway/core'

/**
 * A line in the log, of which there are only so many in a while.
 *
 * @param request - the method and the path, without the query, where people put secrets
 */
export function noteRefusal(broker: Broker, socket: Socket, request: string, code: string, reason: string): void {
  const { remoteAddress, remotePort } = socket
  const host = (remoteAddress ?? '').replace(/^::ffff:/, '')
  const peer = host === '' ? '@' : `${host.includes(':') ? `[${host}]` : host}:${remotePort}`
  refusalsOf(broker).note(peer, code, `${request}: ${reason}`)
}
