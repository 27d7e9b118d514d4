import { Socket } from 'node:net'

const READ_BYTES = 64 * 1024

/** One for all connections: what a read brings is used up, or copied, before the next read begins. */
const buffer = Buffer.allocUnsafeSlow(READ_BYTES)

/** A socket's handle, which Node does not document. */
interface WithHandle {
  _handle: object | null
}

/**
 * Lets an accepted socket read into one shared buffer instead of a fresh 64 kB one for each read, which costs a busy
 * broker more in garbage collections than all its own work (docs/decisions/shared-read-buffer.md).
 *
 * Node offers this (`onread`) only when a socket is made, and makes those that a server accepts itself. So the server
 * accepts with `pauseOnConnect`, and the handle moves into a socket of our own; the first one stays behind to count as
 * the server's connection. Where a future Node keeps its handle elsewhere, the accepted socket is used as it is.
 *
 * @param accepted - from a server with `pauseOnConnect`
 * @param received - gets each read; the bytes are overwritten once it returns
 */
export function readShared(accepted: Socket, received: (chunk: Buffer) => void): Socket {
  const handle = (accepted as unknown as WithHandle)._handle
  // On Windows a read that is under way owns its buffer already, so connections cannot share one.
  if (handle === null || handle === undefined || process.platform === 'win32') {
    accepted.on('data', received)
    accepted.resume()
    return accepted
  }
  const options = {
    handle,
    allowHalfOpen: accepted.allowHalfOpen,
    readable: true,
    writable: true,
    onread: {
      buffer,
      callback: (sizeBytes: number): boolean => {
        received(buffer.subarray(0, sizeBytes))
        return true
      },
    },
  }
  const socket = new Socket(options)
  ;(accepted as unknown as WithHandle)._handle = null
  socket.once('close', () => accepted.destroy())
  return socket
}
