import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { FastConnection, type FastPath } from './fast-connection.js'

/**
 * Lets every connection begin on the fast path: plain publishes are answered without node:http, which costs more than
 * all the rest of a publish (docs/decisions/http-server.md). Everything else goes to node:http, as if it came from there.
 *
 * @returns false where a future Node does not take its connections from one listener; nothing has been done then
 */
export function addFastPath(server: Server, shared: Omit<FastPath, 'handOver'>): boolean {
  // Documented is that node:http takes connections from this event, also such as others emit.
  const listeners = server.listeners('connection')
  if (listeners.length !== 1) return false
  const [toNodeHttp] = listeners
  server.off('connection', toNodeHttp as () => void)
  const path: FastPath = { ...shared, handOver: (socket) => toNodeHttp.call(server, socket) }
  server.on('connection', (socket: Socket) => shared.connections.opened(socket, new FastConnection(path, socket)))
  return true
}
