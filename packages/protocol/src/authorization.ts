import { type Authenticator, BrokerError, type Clock, type Identity } from '@spillway/core'
import type { SessionOutput } from './session-output.js'

/** What a connection may do, when there is somebody to ask. */
export class Authorization {
  readonly #authenticator: Authenticator | null
  readonly #clock: Clock
  readonly #remoteIp: string
  readonly #output: Pick<SessionOutput, 'tls'>
  #secret: Uint8Array | null = null
  #identity: Identity | null = null
  /** The answer is for the command at hand, even if it expires at once. */
  #wasRefreshed = false

  /**
   * @param authenticator - `null` when everybody may do everything
   * @param output - asked each time: a stream may become encrypted before AUTH
   */
  constructor(authenticator: Authenticator | null, clock: Clock, remoteIp: string, output: Pick<SessionOutput, 'tls'>) {
    this.#authenticator = authenticator
    this.#clock = clock
    this.#remoteIp = remoteIp
    this.#output = output
  }

  get isRequired(): boolean {
    return this.#authenticator !== null
  }

  /** `null` before AUTH. */
  get identity(): Identity | null {
    return this.#identity
  }

  /** Whether to ask again, with {@link refresh}, before the next check. Answers yes once per expiry. */
  mustRefresh(): boolean {
    const wasRefreshed = this.#wasRefreshed
    this.#wasRefreshed = false
    return !wasRefreshed && this.#identity !== null && this.#clock.wallMs() >= this.#identity.expiresAtMs
  }

  /**
   * AUTH: finds out who has this secret.
   * @throws BrokerError `E_INVALID`, `E_AUTH_DISABLED`, `E_AUTH_FAILED`, `E_UNAUTHORIZED`
   */
  async authenticate(secret: Uint8Array): Promise<Identity> {
    if (this.#identity !== null) throw new BrokerError('E_INVALID', 'AUTH already set')
    if (this.#authenticator === null) throw new BrokerError('E_AUTH_DISABLED', 'AUTH disabled')
    const identity = await this.#ask(this.#authenticator, secret)
    if (identity === null) throw new BrokerError('E_UNAUTHORIZED', 'AUTH no authorizations found')
    this.#secret = secret
    this.#identity = identity
    return identity
  }

  /** Asks again with the same secret. Afterwards a check may find less, or more, allowed. @throws BrokerError `E_AUTH_FAILED` */
  async refresh(): Promise<void> {
    if (this.#authenticator === null || this.#secret === null) return
    const identity = await this.#ask(this.#authenticator, this.#secret)
    if (identity === null) throw authFailed()
    this.#identity = identity
    this.#wasRefreshed = true
  }

  /** @throws BrokerError `E_AUTH_FIRST`, `E_UNAUTHORIZED` */
  requirePublish(command: string, topic: string): void {
    if (this.#authenticator === null) return
    if (!this.#required(command).mayPublish(topic)) throw unauthorized(command, topic, '')
  }

  /** @throws BrokerError `E_AUTH_FIRST`, `E_UNAUTHORIZED` */
  requireConsume(command: string, topic: string, channel: string): void {
    if (this.#authenticator === null) return
    if (!this.#required(command).mayConsume(topic, channel)) throw unauthorized(command, topic, channel)
  }

  #required(command: string): Identity {
    if (this.#identity === null) throw new BrokerError('E_AUTH_FIRST', `AUTH required before ${command}`)
    return this.#identity
  }

  async #ask(authenticator: Authenticator, secret: Uint8Array): Promise<Identity | null> {
    try {
      const { tls } = this.#output
      const commonName = tls?.commonName ?? ''
      return await authenticator.authenticate({ secret, remoteIp: this.#remoteIp, tls: tls !== null, commonName })
    } catch (error) {
      // Whatever went wrong there, the client learns only that it did.
      if (error instanceof BrokerError) throw authFailed(error)
      throw error
    }
  }
}

function authFailed(cause?: BrokerError): BrokerError {
  return new BrokerError('E_AUTH_FAILED', 'AUTH failed', { cause })
}

function unauthorized(command: string, topic: string, channel: string): BrokerError {
  // Valid names need no escapes.
  return new BrokerError('E_UNAUTHORIZED', `AUTH failed for ${command} on "${topic}" "${channel}"`)
}
