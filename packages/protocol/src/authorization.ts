import { type Authenticator, BrokerError, type Clock, type Identity } from '@spillway/core'
import type { SessionOutput } from './session-output.js'

/** Somebody of whom an authenticator that is asked again knows no permission any more. */
const NOBODY: Identity = {
  identity: '',
  identityUrl: '',
  permissionCount: 0,
  expiresAtMs: Number.POSITIVE_INFINITY,
  mayPublish: () => false,
  mayConsume: () => false,
  mayAdminister: false,
}

/** What a connection may do, when there is somebody to ask. */
export class Authorization {
  readonly #authenticator: Authenticator | null
  readonly #clock: Clock
  readonly #remoteIp: string
  readonly #output: Pick<SessionOutput, 'tls'>
  #secret: Uint8Array | null = null
  #identity: Identity | null = null
  /** The answer is for the next check, even if it expires at once. */
  #isFresh = false

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

  /** Whether to ask again, with {@link refresh}, before the next check. */
  mustRefresh(): boolean {
    return !this.#isFresh && this.#identity !== null && this.#clock.wallMs() >= this.#identity.expiresAtMs
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
    this.#identity = (await this.#ask(this.#authenticator, this.#secret)) ?? NOBODY
    this.#isFresh = true
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

  /** For one check. */
  #required(command: string): Identity {
    if (this.#identity === null) throw new BrokerError('E_AUTH_FIRST', `AUTH required before ${command}`)
    this.#isFresh = false
    return this.#identity
  }

  async #ask(authenticator: Authenticator, secret: Uint8Array): Promise<Identity | null> {
    try {
      const { tls } = this.#output
      const commonName = tls?.commonName ?? ''
      return await authenticator.authenticate({ secret, remoteIp: this.#remoteIp, tls: tls !== null, commonName })
    } catch (error) {
      // Whatever went wrong there, the client learns only that it did. The node makes BrokerErrors of all that is thrown.
      if (error instanceof BrokerError) throw authFailed(error)
      throw error
    }
  }
}

function authFailed(cause: BrokerError): BrokerError {
  return new BrokerError('E_AUTH_FAILED', 'AUTH failed', { cause })
}

function unauthorized(command: string, topic: string, channel: string): BrokerError {
  // Valid names need no escapes.
  return new BrokerError('E_UNAUTHORIZED', `AUTH failed for ${command} on "${topic}" "${channel}"`)
}
