import type { Identity } from '@spillway/core'
import type { UserOptions } from './options.js'

/** One of the configured users. */
export class User implements Identity {
  readonly identity: string
  readonly identityUrl = ''
  readonly permissionCount: number
  /** Never: the configuration does not change while the node runs. */
  readonly expiresAtMs = Number.POSITIVE_INFINITY
  readonly mayAdminister: boolean
  readonly #publish: readonly string[]
  readonly #subscribe: readonly (readonly [topic: string, channel: string])[]

  constructor({ name, publish, subscribe, admin }: UserOptions) {
    this.identity = name
    this.permissionCount = publish.length + subscribe.length
    this.mayAdminister = admin
    this.#publish = publish
    this.#subscribe = subscribe.map((place) => {
      const [topic, channel = '*'] = place.split('/')
      return [topic, channel]
    })
  }

  mayPublish(topic: string): boolean {
    return this.mayAdminister || this.#publish.some((pattern) => matches(pattern, topic))
  }

  mayConsume(topic: string, channel: string): boolean {
    if (this.mayAdminister) return true
    return this.#subscribe.some(([topics, channels]) => matches(topics, topic) && matches(channels, channel))
  }
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
}
