import { createHmac, randomBytes } from 'node:crypto'
import { type Authenticator, type AuthRequest, BrokerError, type Identity } from '@spillway/core'
import { FairTurns } from './fair-turns.js'
import type { StaticAuthOptions, UserOptions } from './options.js'
import { isSecretOf, NOBODY_HASH, parseSecretHash, type SecretHash } from './secret-hash.js'
import { User } from './user.js'

/** Secrets that are being looked at, each with memory of its own and a thread of the pool. */
const CHECKS_MAX = 2
/** Those that wait; whoever comes then is told to try again. */
const WAITING_MAX = 256
/** Secrets that were right, so that clients that come back need not be looked at again. */
const KNOWN_MAX = 1_000
const COLON = 0x3a

interface Known {
  readonly hash: SecretHash
  readonly user: User
}

/** Knows the users of the configuration by `name:secret`. Equal secrets at the same time are looked at once. */
export class StaticAuthenticator implements Authenticator {
  readonly #users: ReadonlyMap<string, Known>
  readonly #key = randomBytes(32)
  /** By a keyed digest, as below, so that secrets do not lie in memory. */
  readonly #known = new Map<string, User>()
  /** Under way. */
  readonly #checks = new Map<string, Promise<User | null>>()
  readonly #turns = new FairTurns(CHECKS_MAX, WAITING_MAX)

  /** @throws BrokerError `E_INVALID_OPTION` that says which user's what is wrong */
  constructor({ users }: StaticAuthOptions) {
    this.#users = usersByName(users)
  }

  async authenticate({ secret, remoteIp }: AuthRequest): Promise<Identity | null> {
    const digest = createHmac('sha256', this.#key).update(secret).digest('base64')
    const known = this.#known.get(digest)
    if (known !== undefined) return known
    let check = this.#checks.get(digest)
    if (check === undefined) {
      check = this.#check(secret, digest, remoteIp).finally(() => this.#checks.delete(digest))
      this.#checks.set(digest, check)
    }
    return check
  }

  async close(): Promise<void> {
    this.#known.clear()
  }

  async #check(pair: Uint8Array, digest: string, remoteIp: string): Promise<User | null> {
    const colon = pair.indexOf(COLON)
    const named = this.#users.get(Buffer.from(pair.subarray(0, Math.max(0, colon))).toString())
    if (!(await this.#turns.take(remoteIp))) {
      throw new BrokerError('E_AUTH_FAILED', 'too many secrets to look at; try again')
    }
    try {
      // Unknown names take as long as known ones.
      const isRight = await isSecretOf(named?.hash ?? NOBODY_HASH, pair.subarray(colon + 1))
      if (!isRight || named === undefined) return null
    } finally {
      this.#turns.give()
    }
    if (this.#known.size >= KNOWN_MAX) this.#known.clear()
    this.#known.set(digest, named.user)
    return named.user
  }
}

function usersByName(users: readonly UserOptions[]): Map<string, Known> {
  const byName = new Map<string, Known>()
  for (const [index, options] of users.entries()) {
    const { name, secretHash } = options
    if (byName.has(name)) throw refusal(`users[${index}].name ${JSON.stringify(name)} is that of another user`)
    byName.set(name, { hash: hashOf(secretHash, `users[${index}].secretHash`), user: new User(options) })
  }
  return byName
}

function hashOf(text: string, place: string): SecretHash {
  try {
    return parseSecretHash(text)
  } catch (error) {
    throw refusal(`${place} ${(error as RangeError).message}; make one with \`spillway hash-secret\``, error)
  }
}

function refusal(reason: string, cause?: unknown): BrokerError {
  return new BrokerError('E_INVALID_OPTION', `auth-static: ${reason}`, { cause })
}
