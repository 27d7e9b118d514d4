import type { Socket } from 'node:net'
import { type Broker, peerAddressOf, refusalsOf } from '@spillway/core'

/**
 * A line in the log, of which there are only so many in a while.
 *
 * @param request - the method and the path, without the query, where people put secrets
 */
export function noteRefusal(broker: Broker, socket: Socket, request: string, code: string, reason: string): void {
  refusalsOf(broker).note(peerAddressOf(socket), code, `${request}: ${reason}`)
}
