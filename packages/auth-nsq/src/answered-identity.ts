import type { Identity } from '@spillway/core'
import type { Answer, Authorization } from './answer.js'

/** Checks that are remembered for each identity: a client names the same few topics again and again. */
const REMEMBERED_MAX = 1_000

/** Somebody whom an auth server knows. */
export class AnsweredIdentity implements Identity {
  readonly identity: string
  readonly identityUrl: string
  readonly permissionCount: number
  readonly expiresAtMs: number
  readonly mayAdminister: boolean
  readonly #authorizations: readonly Authorization[]
  readonly #remembered = new Map<string, boolean>()

  constructor(answer: Answer, nowMs: number) {
    this.identity = answer.identity
    this.identityUrl = answer.identityUrl
    this.permissionCount = answer.authorizations.length
    this.expiresAtMs = nowMs + answer.ttlS * 1000
    this.mayAdminister = answer.authorizations.some(({ mayAdminister }) => mayAdminister)
    this.#authorizations = answer.authorizations
  }

  /** nsqd looks for a channel with an empty name, so an entry without channels allows no publishing either. */
  mayPublish(topic: string): boolean {
    return this.#recall(topic, () => this.#isAllowed(topic, '', ({ mayPublish }) => mayPublish))
  }

  mayConsume(topic: string, channel: string): boolean {
    return this.#recall(`${topic} ${channel}`, () => this.#isAllowed(topic, channel, ({ mayConsume }) => mayConsume))
  }

  #isAllowed(topic: string, channel: string, permits: (authorization: Authorization) => boolean): boolean {
    return this.#authorizations.some(
      (each) =>
        permits(each) &&
        each.topic.matcher(topic).find() &&
        each.channels.some((pattern) => pattern.matcher(channel).find()),
    )
  }

  #recall(name: string, find: () => boolean): boolean {
    const known = this.#remembered.get(name)
    if (known !== undefined) return known
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear()
    const found = find()
    this.#remembered.set(name, found)
    return found
  }
}
