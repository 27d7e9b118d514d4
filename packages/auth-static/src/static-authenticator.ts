import { createHmac, randomBytes } from 'node:crypto'
import { type Authenticator, type AuthRequest, BrokerError, type Identity } from '@spillway/core'
import type { StaticAuthOptions } from './options.js'
import { isSecretOf } from './secret-hash.js'
import { User } from './user.js'

/** Secrets that are being looked at, each with memory of its own and a thread of the pool. */
const CHECKS_MAX = 2
/** Those that wait; whoever comes then is told to try again. */
const WAITING_MAX = 256
/** Secrets that were right, so that clients that come back need not be looked at again. */
const KNOWN_MAX = 1_000
/** Nobody has this secret: unknown names take as long as known ones. */
const NOBODY_HASH = 'scrypt:16384:8:1:AAAAAAAAAAAAAAAAAAAAAA==:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='

interface Known {
  readonly hash: string
  readonly user: User
}

/** Knows the users of the configuration by `name:secret`. */
export class StaticAuthenticator implements Authenticator {
  readonly #users: ReadonlyMap<string, Known>
  readonly #key = randomBytes(32)
  /** By a keyed digest, so that secrets do not lie in memory. */
  readonly #known = new Map<string, User>()
  readonly #waiting: (() => void)[] = []
  #checkCount = 0

  constructor({ users }: StaticAuthOptions) {
    this.#users = new Map(users.map((options) => [options.name, { hash: options.secretHash, user: new User(options) }]))
  }

  async authenticate({ secret }: AuthRequest): Promise<Identity | null> {
    const digest = createHmac('sha256', this.#key).update(secret).digest('base64')
    const known = this.#known.get(digest)
    if (known !== undefined) return known
    const text = Buffer.from(secret).toString()
    const colon = text.indexOf(':')
    const named = this.#users.get(text.slice(0, Math.max(0, colon)))
    await this.#takeTurn()
    try {
      const isRight = await isSecretOf(named?.hash ?? NOBODY_HASH, text.slice(colon + 1))
      if (!isRight || named === undefined) return null
    } finally {
      this.#giveTurn()
    }
    if (this.#known.size >= KNOWN_MAX) this.#known.clear()
    this.#known.set(digest, named.user)
    return named.user
  }

  async close(): Promise<void> {
    this.#known.clear()
  }

  async #takeTurn(): Promise<void> {
    if (this.#checkCount < CHECKS_MAX) {
      this.#checkCount++
      return
    }
    if (this.#waiting.length >= WAITING_MAX) {
      throw new BrokerError('E_AUTH_FAILED', 'too many secrets to look at; try again')
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  #giveTurn(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#checkCount--
    else next()
  }
}
