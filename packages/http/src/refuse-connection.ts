import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

/** How a connection is refused that sends no request, by Node's error. Everything else is a bad one. */
const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** Answers what node:http could not make a request of, and ends the connection. @param code - of Node's `clientError` */
export function refuseConnection(socket: Socket, code: string): void {
  const status = STATUS_OF[code] ?? 400
  const text = `${status} ${STATUS_CODES[status]}`
  socket.write(
    `HTTP/1.1 ${text}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n` +
      `Content-Length: ${text.length}\r\n\r\n${text}`,
  )
  socket.destroySoon()
}
