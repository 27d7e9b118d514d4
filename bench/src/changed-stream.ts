import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'
import { SnappyDecoder, SnappyEncoder, type SnappyLibrary, snappyLibrary } from '@spillway/snappy'
import type { StreamChange } from './connection.js'

export interface ChangedStream {
  readonly output: Pick<Socket, 'write'>
  /** Takes what the socket reads. */
  readonly decode: (bytes: Buffer) => void
}

/** The client's end of a changed stream. What comes out of it goes to `received`. */
export function changeStream(change: StreamChange, socket: Socket, received: (bytes: Buffer) => void): ChangedStream {
  if (change === 'tls') return encrypt(socket, received)
  return change === 'snappy' ? snappy(socket, received) : deflate(socket, received)
}

/** The socket's reads go on into the shared buffer, so TLS gets a stream that is fed from there. */
function encrypt(socket: Socket, received: (bytes: Buffer) => void): ChangedStream {
  const raw = new Duplex({
    read() {},
    write: (bytes, _encoding, done) => void socket.write(bytes, () => done()),
  })
  const encrypted = connect({ socket: raw, rejectUnauthorized: false })
  encrypted.on('data', received)
  socket.on('close', () => encrypted.destroy())
  return { output: encrypted as unknown as Pick<Socket, 'write'>, decode: (bytes) => void raw.push(bytes) }
}

function deflate(socket: Socket, received: (bytes: Buffer) => void): ChangedStream {
  const deflater = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH })
  const inflater = createInflateRaw({ flush: constants.Z_SYNC_FLUSH })
  deflater.on('data', (bytes: Buffer) => socket.write(bytes))
  inflater.on('data', received)
  return { output: deflater as unknown as Pick<Socket, 'write'>, decode: (bytes) => void inflater.write(bytes) }
}

function snappy(socket: Socket, received: (bytes: Buffer) => void): ChangedStream {
  const library = snappyLibrary() as SnappyLibrary
  const encoder = new SnappyEncoder(library)
  const decoder = new SnappyDecoder(library, received)
  const write = (bytes: Uint8Array, written?: () => void): boolean => socket.write(encoder.encode(bytes), written)
  return { output: { write } as unknown as Pick<Socket, 'write'>, decode: (bytes) => decoder.decode(bytes) }
}
