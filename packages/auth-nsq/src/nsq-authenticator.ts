import { resolve } from 'node:path'
import { type Authenticator, type AuthRequest, BrokerError, type Identity, type PluginContext } from '@spillway/core'
import { parseAnswer } from './answer.js'
import { AnsweredIdentity } from './answered-identity.js'
import { Asker } from './ask.js'
import type { NsqAuthOptions } from './options.js'
import { Patterns } from './patterns.js'
import { readRootCa } from './root-ca.js'
import { Turns } from './turns.js'

/** Questions at the same time. Those that wait do not use up the time that a server has to answer. */
const QUESTIONS_MAX = 64
/** Those that wait, each with its secret; whoever comes then is told to try again. */
const WAITING_MAX = 4_096

/** What of a plugin's context is used here. */
export type AuthContext = Pick<PluginContext, 'clock' | 'random' | 'logger' | 'configPath'>

/** Asks NSQ's auth servers. Equal questions at the same time are asked once. */
export class NsqAuthenticator implements Authenticator {
  readonly #options: NsqAuthOptions
  readonly #context: AuthContext
  /** Questions under way. */
  readonly #asked = new Map<string, Promise<Identity | null>>()
  readonly #turns = new Turns(QUESTIONS_MAX, WAITING_MAX)
  readonly #patterns = new Patterns()
  readonly #asker: Asker
  #isRefusing = false
  #isClosed = false

  /** Reads `rootCaPath`, so that a mistake there is found before anybody is asked. @throws BrokerError `E_INVALID_OPTION` */
  constructor(options: NsqAuthOptions, context: AuthContext) {
    this.#options = options
    this.#context = context
    const { requestMethod: method, connectTimeoutMs, requestTimeoutMs } = options
    this.#asker = new Asker({ method, connectTimeoutMs, requestTimeoutMs, clock: context.clock }, this.#readRootCa())
  }

  authenticate(request: AuthRequest): Promise<Identity | null> {
    const { secret, remoteIp, tls, commonName } = request
    const question = JSON.stringify([Buffer.from(secret).toString('latin1'), remoteIp, tls, commonName])
    let answer = this.#asked.get(question)
    if (answer === undefined) {
      answer = this.#askInTurn(request).finally(() => this.#asked.delete(question))
      this.#asked.set(question, answer)
    }
    return answer
  }

  /** Reads `rootCaPath` again. What cannot be used leaves things as they were. @throws BrokerError `E_INVALID_OPTION` */
  reload(): void {
    this.#asker.trust(this.#readRootCa())
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#asker.close()
  }

  async #askInTurn(request: AuthRequest): Promise<Identity | null> {
    const turn = this.#turns.take()
    if (turn === null) {
      if (!this.#isRefusing)
        this.#context.logger.warn(`${WAITING_MAX} questions wait for auth servers: refusing others`)
      this.#isRefusing = true
      throw new BrokerError('E_AUTH_FAILED', 'too many questions wait for the auth servers; try again')
    }
    this.#isRefusing = false
    await turn
    try {
      if (this.#isClosed) throw new BrokerError('E_AUTH_FAILED', 'the node stops')
      return await this.#askAny(request)
    } finally {
      this.#turns.give()
    }
  }

  async #askAny(request: AuthRequest): Promise<Identity | null> {
    const { addresses } = this.#options
    const { random, logger, clock } = this.#context
    const first = Math.floor(random() * addresses.length)
    for (let tried = 0; tried < addresses.length; tried++) {
      const address = addresses[(first + tried) % addresses.length]
      try {
        const answer = await parseAnswer(await this.#asker.ask(address, request), this.#patterns)
        return answer.authorizations.length === 0 ? null : new AnsweredIdentity(answer, clock.wallMs())
      } catch (error) {
        logger.error(`auth server ${address} failed`, { error: (error as Error).message })
      }
    }
    throw new BrokerError('E_AUTH_FAILED', 'no auth server gave an answer')
  }

  #readRootCa(): Buffer | undefined {
    const { rootCaPath } = this.#options
    return rootCaPath === undefined ? undefined : readRootCa(resolve(this.#context.configPath, rootCaPath))
  }
}
