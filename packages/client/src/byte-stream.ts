import { connect as connectPlain, type NetConnectOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib'
import { SnappyDecoder, SnappyEncoder, snappyLibrary } from '@spillway/snappy'
import type { TlsOptions } from './connection-options.js'
import { asError, NsqError } from './errors.js'
import type { ByteOutput } from './outgoing.js'

/** Where a stream's bytes and its end go. */
export interface ByteStreamOwner {
  connected(): void
  /** Bytes as they were before the other end encoded them; the callee's from here on. */
  received(chunk: Buffer): void
  /** Once, last. Null: the other end closed, or we did. */
  closed(error: Error | null): void
}

/** A socket and what it was changed into: encrypted, compressed, or both. */
export class ByteStream implements ByteOutput {
  readonly #owner: ByteStreamOwner
  #socket: Socket
  #codec: StreamCodec | null = null
  #error: Error | null = null
  #isClosed = false
  readonly #onData = (chunk: Buffer): void => this.received(chunk)
  readonly #onClose = (): void => this.#ended()

  constructor(target: NetConnectOpts, owner: ByteStreamOwner) {
    this.#owner = owner
    this.#socket = connectPlain({ ...target, noDelay: true } as NetConnectOpts)
    this.#socket.once('connect', () => owner.connected())
    this.#listen(this.#socket)
  }

  #listen(socket: Socket): void {
    socket.on('data', this.#onData)
    socket.on('error', (error) => {
      this.#error ??= error
    })
    socket.once('close', this.#onClose)
  }

  /** Bytes as they were read from the socket, or a rest of such that was not used before the stream was changed. */
  received(chunk: Buffer): void {
    if (this.#codec === null) this.#owner.received(chunk)
    else this.#codec.decode(chunk)
  }

  /** Goes on inside TLS. Nothing of it may have been received yet. */
  async encrypt(options: TlsOptions, host: string): Promise<void> {
    const raw = this.#socket
    raw.off('data', this.#onData)
    raw.off('close', this.#onClose)
    // A name is sent along where there is one: an IP address is none.
    const servername = options.servername ?? (/^[\d.]+$|:/.test(host) ? '' : host)
    const encrypted = connectTls({ ...options, ...(host === '' ? {} : { host }), servername, socket: raw })
    this.#socket = encrypted
    this.#listen(encrypted)
    await new Promise<void>((resolve, reject) => {
      encrypted.once('secureConnect', resolve)
      encrypted.once('close', () => reject(this.#error ?? new Error('closed during the TLS handshake')))
    })
  }

  /** @throws NsqError `E_CONNECT` where snappy cannot be loaded */
  compress(kind: 'deflate' | 'snappy', level: number): void {
    const ends: CodecEnds = {
      received: (chunk) => this.#owner.received(chunk),
      failed: (error) => this.destroy(error),
    }
    this.#codec = kind === 'deflate' ? new Deflate(level, this.#socket, ends) : new Snappy(this.#socket, ends)
  }

  write(bytes: Uint8Array, written?: (error?: Error | null) => void): void {
    if (this.#codec === null) this.#socket.write(bytes, written)
    else this.#codec.write(bytes, written)
  }

  /** Written, and not with the system yet. */
  get pendingBytes(): number {
    return this.#socket.writableLength
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  /** Whatever was written leaves, then the end. */
  end(): void {
    if (this.#codec === null) this.#socket.end()
    else this.#codec.end()
  }

  destroy(error: Error | null = null): void {
    this.#error ??= error
    this.#socket.destroy()
  }

  /** What has been read may still be on its way through the codec: the reason why the other end closed, perhaps. */
  #ended(): void {
    if (this.#codec === null) this.#closed()
    else this.#codec.finish(() => this.#closed())
  }

  #closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#codec?.destroy()
    this.#owner.closed(this.#error)
  }
}

interface CodecEnds {
  received(chunk: Buffer): void
  failed(error: Error): void
}

interface StreamCodec {
  write(bytes: Uint8Array, written?: (error?: Error | null) => void): void
  decode(chunk: Buffer): void
  /** Ends the socket once everything has been encoded. */
  end(): void
  /** Calls back once everything that was read has been decoded. */
  finish(done: () => void): void
  destroy(): void
}

/** Quick enough to be done on the spot. */
class Snappy implements StreamCodec {
  readonly #socket: Socket
  readonly #encoder: SnappyEncoder
  readonly #decoder: SnappyDecoder
  readonly #ends: CodecEnds
  #decoded: Buffer[] = []
  #isOver = false

  constructor(socket: Socket, ends: CodecEnds) {
    const library = snappyLibrary()
    if (library instanceof Error) throw new NsqError('E_CONNECT', 'snappy cannot be loaded here', { cause: library })
    this.#socket = socket
    this.#ends = ends
    this.#encoder = new SnappyEncoder(library)
    this.#decoder = new SnappyDecoder(library, (chunk) => void this.#decoded.push(chunk))
  }

  write(bytes: Uint8Array, written?: (error?: Error | null) => void): void {
    this.#socket.write(this.#encoder.encode(bytes), written)
  }

  decode(chunk: Buffer): void {
    if (this.#isOver) return
    let failure: unknown = null
    try {
      this.#decoder.decode(chunk)
    } catch (error) {
      this.#isOver = true
      failure = error
    }
    // Outside: what goes wrong there is nothing that is wrong with the stream.
    const decoded = this.#decoded
    this.#decoded = []
    for (const bytes of decoded) this.#ends.received(bytes)
    if (failure !== null) this.#ends.failed(asError(failure))
  }

  end(): void {
    this.#socket.end()
  }

  finish(done: () => void): void {
    done()
  }

  destroy(): void {}
}

/** What waits to be decompressed: above it the socket is not read. */
const INFLATE_BYTES_MAX = 256 * 1024
const INFLATED_BYTES = 64 * 1024

/** In the thread pool, in order; each write ends where the other end can decompress up to. */
class Deflate implements StreamCodec {
  readonly #socket: Socket
  readonly #deflate: DeflateRaw
  readonly #inflate: InflateRaw

  constructor(level: number, socket: Socket, ends: CodecEnds) {
    this.#socket = socket
    const flushing = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH }
    this.#deflate = createDeflateRaw({ level, ...flushing })
    this.#deflate.on('data', (bytes: Buffer) => socket.write(bytes))
    this.#deflate.on('error', (error) => ends.failed(error))
    const sizes = { chunkSize: INFLATED_BYTES, writableHighWaterMark: INFLATE_BYTES_MAX }
    this.#inflate = createInflateRaw({ ...flushing, ...sizes })
    this.#inflate.on('data', (bytes: Buffer) => ends.received(bytes))
    this.#inflate.on('drain', () => socket.resume())
    this.#inflate.on('error', (error) => ends.failed(error))
  }

  write(bytes: Uint8Array, written?: (error?: Error | null) => void): void {
    this.#deflate.write(bytes, written)
  }

  decode(chunk: Buffer): void {
    if (!this.#inflate.destroyed && !this.#inflate.write(chunk)) this.#socket.pause()
  }

  end(): void {
    this.#deflate.once('end', () => this.#socket.end())
    this.#deflate.end()
  }

  finish(done: () => void): void {
    if (this.#inflate.destroyed) done()
    else this.#inflate.once('close', done).end()
  }

  destroy(): void {
    this.#deflate.destroy()
    this.#inflate.destroy()
  }
}
