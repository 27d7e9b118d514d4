import type { Authenticator, AuthRequest, Identity } from '../contracts/authenticator.js'
import type { Logger } from '../contracts/logger.js'
import { BrokerError } from '../errors.js'

/** Nobody has a longer secret; to encode, hash and send one of megabytes would keep the event loop. */
export const SECRET_BYTES_MAX = 16 * 1024

/**
 * An authenticator that every transport can rely on, whoever wrote it: it is not asked about secrets that are too long, and
 * whatever goes wrong in it is one refusal and one line of the log, not the end of the process.
 */
export class GuardedAuthenticator implements Authenticator {
  readonly #authenticator: Authenticator
  readonly #logger: Logger

  constructor(authenticator: Authenticator, logger: Logger) {
    this.#authenticator = authenticator
    this.#logger = logger
  }

  async authenticate(request: AuthRequest): Promise<Identity | null> {
    const sizeBytes = request.secret.length
    if (sizeBytes > SECRET_BYTES_MAX) {
      this.#logger.warn('a secret is too long: nobody is asked about it', { sizeBytes, sizeBytesMax: SECRET_BYTES_MAX })
      throw new BrokerError('E_AUTH_FAILED', `a secret of ${sizeBytes} bytes; at most ${SECRET_BYTES_MAX} may be`)
    }
    try {
      return await this.#authenticator.authenticate(request)
    } catch (error) {
      // It has logged why; also when it brought its own copy of core.
      if (error instanceof BrokerError) throw error
      if (error instanceof Error && error.name === 'BrokerError') throw failed(error)
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#logger.error('the authenticator failed', { error: reason })
      throw failed(error)
    }
  }

  close(): Promise<void> {
    return this.#authenticator.close()
  }
}

function failed(cause: unknown): BrokerError {
  return new BrokerError('E_AUTH_FAILED', 'the authenticator failed', { cause })
}
