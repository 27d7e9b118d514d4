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
  // One for each question: what was found out for one must never answer the other.
  readonly #publishing = new Map<string, boolean>()
  /** By topic and channel with a space between: valid names have none. */
  readonly #consuming = new Map<string, boolean>()

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
    return recall(this.#publishing, topic, () => this.#isAllowed(topic, '', ({ mayPublish }) => mayPublish))
  }

  mayConsume(topic: string, channel: string): boolean {
    const place = `${topic} ${channel}`
    return recall(this.#consuming, place, () => this.#isAllowed(topic, channel, ({ mayConsume }) => mayConsume))
  }

  #isAllowed(topic: string, channel: string, permits: (authorization: Authorization) => boolean): boolean {
    return this.#authorizations.some(
      (each) =>
        permits(each) &&
        each.topic.matcher(topic).find() &&
        each.channels.some((pattern) => pattern.matcher(channel).find()),
    )
  }
}

function recall(remembered: Map<string, boolean>, name: string, find: () => boolean): boolean {
  const known = remembered.get(name)
  if (known !== undefined) return known
  if (remembered.size >= REMEMBERED_MAX) remembered.clear()
  const found = find()
  remembered.set(name, found)
  return found
}
