import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Authenticator, type AuthRequest, BrokerError, type Identity, type PluginContext } from '@spillway/core'
import { parseAnswer } from './answer.js'
import { AnsweredIdentity } from './answered-identity.js'
import { Asker } from './ask.js'
import type { NsqAuthOptions } from './options.js'

/** What of a plugin's context is used here. */
export type AuthContext = Pick<PluginContext, 'clock' | 'random' | 'logger' | 'configPath'>

/** Asks NSQ's auth servers. Equal questions at the same time are asked once. */
export class NsqAuthenticator implements Authenticator {
  readonly #options: NsqAuthOptions
  readonly #context: AuthContext
  /** Questions under way. */
  readonly #asked = new Map<string, Promise<Identity | null>>()
  #asker: Promise<Asker> | null = null

  constructor(options: NsqAuthOptions, context: AuthContext) {
    this.#options = options
    this.#context = context
  }

  authenticate(request: AuthRequest): Promise<Identity | null> {
    const { secret, remoteIp, tls, commonName } = request
    const question = JSON.stringify([Buffer.from(secret).toString('latin1'), remoteIp, tls, commonName])
    let answer = this.#asked.get(question)
    if (answer === undefined) {
      answer = this.#askAny(request).finally(() => this.#asked.delete(question))
      this.#asked.set(question, answer)
    }
    return answer
  }

  async close(): Promise<void> {
    const asker = await this.#asker?.catch(() => null)
    asker?.close()
  }

  async #askAny(request: AuthRequest): Promise<Identity | null> {
    const { addresses } = this.#options
    const { random, logger, clock } = this.#context
    const first = Math.floor(random() * addresses.length)
    for (let tried = 0; tried < addresses.length; tried++) {
      const address = addresses[(first + tried) % addresses.length]
      try {
        const asker = await this.#open()
        const answer = parseAnswer(await asker.ask(address, request))
        return answer.authorizations.length === 0 ? null : new AnsweredIdentity(answer, clock.wallMs())
      } catch (error) {
        logger.error(`auth server ${address} failed`, { error: (error as Error).message })
      }
    }
    throw new BrokerError('E_AUTH_FAILED', 'no auth server gave an answer')
  }

  #open(): Promise<Asker> {
    this.#asker ??= this.#makeAsker()
    this.#asker.catch(() => {
      this.#asker = null // the file may be there next time
    })
    return this.#asker
  }

  async #makeAsker(): Promise<Asker> {
    const { requestMethod, connectTimeoutMs, requestTimeoutMs, rootCaPath } = this.#options
    const { clock, configPath } = this.#context
    const rootCa = rootCaPath === undefined ? undefined : await readFile(resolve(configPath, rootCaPath))
    return new Asker({ method: requestMethod, connectTimeoutMs, requestTimeoutMs, rootCa, clock })
  }
}
