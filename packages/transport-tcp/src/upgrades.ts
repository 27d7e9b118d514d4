import type { Socket } from 'node:net'
import type { Clock, Logger } from '@spillway/core'
import type { TlsPeer, UpgradeSupport } from '@spillway/protocol'
import { snappyLibrary } from '@spillway/snappy'
import type { TlsCredentials } from '@spillway/tls'
import type { Codec, CodecEnds } from './codec.js'
import { DeflateCodec } from './deflate-codec.js'
import { SnappyCodec } from './snappy-codec.js'

export interface UpgradesOptions {
  readonly snappy: boolean
  readonly deflate: boolean
}

/** What a listener's connections can be changed into. What is needed for it is loaded when the first client asks. */
export class Upgrades {
  readonly #options: UpgradesOptions
  readonly #credentials: TlsCredentials | null
  readonly #logger: Logger
  #isMissingSnappyLogged = false

  /** @param credentials - null: no connection is encrypted */
  constructor(options: UpgradesOptions, credentials: TlsCredentials | null, logger: Logger) {
    this.#options = options
    this.#credentials = credentials
    this.#logger = logger
  }

  /** Looked at when a client has asked for something. */
  get support(): UpgradeSupport {
    const support = this
    return {
      tls: this.#credentials !== null,
      deflate: this.#options.deflate,
      get snappy() {
        return support.#hasSnappy()
      },
    }
  }

  /**
   * `refusal` says why the client's certificate will not do. Node has no way to send the alert for it, so the client is to be told
   * over `stream`. @throws Error that says why not; the connection is then closed
   */
  async encrypt(socket: Socket, clock: Clock): Promise<{ stream: Socket; peer: TlsPeer; refusal: string | null }> {
    if (this.#credentials === null) throw new Error('no certificate')
    const { requestCert, verifiesClients } = this.#credentials
    const [{ encrypt }, { peerOf, refusalOfPeer }] = await Promise.all([
      import('./encrypt.js'),
      import('@spillway/tls'),
    ])
    const stream = await encrypt(socket, this.#credentials, clock)
    return { stream, peer: peerOf(stream), refusal: requestCert ? refusalOfPeer(stream, verifiesClients) : null }
  }

  compress(kind: 'snappy' | 'deflate', level: number, ends: CodecEnds): Codec {
    if (kind === 'deflate') return new DeflateCodec(level, ends)
    const library = snappyLibrary()
    if (library instanceof Error) throw library
    return new SnappyCodec(library, ends)
  }

  #hasSnappy(): boolean {
    if (!this.#options.snappy) return false
    const library = snappyLibrary()
    if (!(library instanceof Error)) return true
    if (!this.#isMissingSnappyLogged)
      this.#logger.warn('snappy cannot be loaded here, and is not offered', { error: library.message })
    this.#isMissingSnappyLogged = true
    return false
  }
}
