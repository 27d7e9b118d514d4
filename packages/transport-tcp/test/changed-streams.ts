import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'
import { SnappyDecoder, SnappyEncoder, type SnappyLibrary, snappyLibrary } from '@spillway/snappy'

/** The client's end of each change. */

export const tls =
  (options: ConnectionOptions = {}) =>
  async (stream: Duplex): Promise<Duplex> => {
    const encrypted = connect({ socket: stream as Socket, rejectUnauthorized: false, ...options })
    await once(encrypted, 'secureConnect')
    return encrypted
  }

export function deflate(stream: Duplex): Duplex {
  const deflater = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH })
  const inflater = createInflateRaw({ flush: constants.Z_SYNC_FLUSH })
  deflater.on('data', (bytes) => stream.write(bytes))
  stream.on('data', (bytes) => inflater.write(bytes))
  const changed = new Duplex({
    write: (bytes, _encoding, done) => void deflater.write(bytes, done),
    final: (done) => void stream.end(done),
    read() {},
  })
  inflater.on('data', (bytes) => changed.push(bytes))
  stream.once('end', () => inflater.write(Buffer.alloc(0), () => changed.push(null)))
  return changed
}

export function snappy(stream: Duplex): Duplex {
  const library = snappyLibrary() as SnappyLibrary
  const encoder = new SnappyEncoder(library)
  const changed = new Duplex({
    write: (bytes, _encoding, done) => void stream.write(encoder.encode(bytes), () => done()),
    final: (done) => void stream.end(done),
    read() {},
  })
  const decoder = new SnappyDecoder(library, (bytes) => changed.push(bytes))
  stream.on('data', (bytes) => decoder.decode(bytes))
  stream.once('end', () => changed.push(null))
  return changed
}
