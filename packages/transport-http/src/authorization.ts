import type { TLSSocket } from 'node:tls'
import {
  type Authenticator,
  type AuthRequest,
  BrokerError,
  type Clock,
  type Identity,
  isValidName,
  peerIpOf,
} from '@spillway/core'
import { HttpError, parseParams } from '@spillway/http'
import { commonNameOf } from '@spillway/tls'
import type { Exchange } from './exchange.js'

/**
 * Who may ask what.
 * - `anybody`: whether this node is there, and what it is.
 * - `known`: somebody who has authenticated.
 * - `publish`, `consume`: somebody who may do that on the topic, or the channel, in the query.
 * - `administer`: somebody who runs the node.
 */
export type Access = 'anybody' | 'known' | 'publish' | 'consume' | 'administer'

/** Clients that are remembered, so that not each of their requests is looked at. */
const REMEMBERED_MAX = 1_000
/** Somebody whose identity never expires is asked for again after this time. */
const REMEMBERED_MS_MAX = 60_000
const COLON = 0x3a
const CHALLENGE = ['WWW-Authenticate', 'Basic realm="nsqd"'] as const

interface Remembered {
  readonly identity: Identity
  readonly untilMs: number
}

/** Holds requests against the same authenticator as V2 connections: with a `Bearer` secret, or with `Basic` name and secret. */
export class HttpAuthorization {
  readonly #authenticator: Authenticator
  readonly #clock: Clock
  readonly #remembered = new Map<string, Remembered>()

  constructor(authenticator: Authenticator, clock: Clock) {
    this.#authenticator = authenticator
    this.#clock = clock
  }

  /** Returns nothing when the client may ask this and that is known already. @throws HttpError 401, 403, 503, also as a rejection */
  permit(exchange: Exchange, access: Access): Promise<void> | undefined {
    if (access === 'anybody') return
    const { authorization: credentials } = exchange.request.headers
    if (credentials === undefined) throw unauthorized()
    const request = requestOf(exchange, credentials)
    const name = `${credentials} ${request.remoteIp} ${request.commonName}`
    const remembered = this.#remembered.get(name)
    if (remembered !== undefined && this.#clock.wallMs() < remembered.untilMs) {
      requirePermission(exchange, access, remembered.identity)
      return
    }
    return this.#find(request, name).then((identity) => requirePermission(exchange, access, identity))
  }

  async #find(request: AuthRequest, name: string): Promise<Identity> {
    const identity = await this.#ask(request)
    if (identity === null) throw unauthorized()
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear()
    const untilMs = Math.min(identity.expiresAtMs, this.#clock.wallMs() + REMEMBERED_MS_MAX)
    this.#remembered.set(name, { identity, untilMs })
    return identity
  }

  async #ask(request: AuthRequest): Promise<Identity | null> {
    try {
      return await this.#authenticator.authenticate(request)
    } catch (error) {
      // The authenticator has logged why.
      if (error instanceof BrokerError) throw new HttpError(503, 'AUTH_FAILED')
      throw error
    }
  }
}

const unauthorized = (): HttpError => new HttpError(401, 'UNAUTHORIZED', CHALLENGE)

/** @throws HttpError 403 */
function requirePermission(exchange: Exchange, access: Access, identity: Identity): void {
  if (!isPermitted(exchange, access, identity)) throw new HttpError(403, 'FORBIDDEN')
}

function isPermitted(exchange: Exchange, access: Access, identity: Identity): boolean {
  if (access === 'known') return true
  if (access === 'administer') return identity.mayAdminister
  const params = parseParams(exchange.rawQuery)
  const topic = params.get('topic')
  // Identities are asked about names only. Of anything else nothing comes but the error that says so.
  if (topic === undefined || !isValidName(topic)) return true
  if (access === 'publish') return identity.mayPublish(topic)
  const channel = params.get('channel')
  return channel === undefined || !isValidName(channel) || identity.mayConsume(topic, channel)
}

/** @throws HttpError 401 for credentials of a kind that is not known */
function requestOf(exchange: Exchange, credentials: string): AuthRequest {
  const { socket } = exchange.request
  const { encrypted = false } = socket as Partial<TLSSocket>
  return {
    secret: secretOf(credentials),
    remoteIp: peerIpOf(socket),
    tls: encrypted,
    commonName: encrypted ? commonNameOf(socket as TLSSocket) : '',
  }
}

function secretOf(credentials: string): Buffer {
  const [, scheme, value] = /^([A-Za-z]+) +(\S+)$/.exec(credentials) ?? []
  // Node has made a letter of each byte of the header.
  if (scheme?.toLowerCase() === 'bearer') return Buffer.from(value, 'latin1')
  if (scheme?.toLowerCase() !== 'basic') throw unauthorized()
  const pair = Buffer.from(value, 'base64')
  // `curl -u :secret` is for a secret without a name.
  return pair[0] === COLON ? pair.subarray(1) : pair
}
