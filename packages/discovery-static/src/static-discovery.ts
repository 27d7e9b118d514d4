import { type Discovery, isEphemeral, type Setting } from '@spillway/core'
import type { StaticDiscoveryOptions } from './options.js'

/**
 * Channels that a configuration says topics have. A topic that is new on this node gets them before its first message goes out;
 * topics that are there already are left alone, and none is made. Nobody is told of what this node has.
 */
export class StaticDiscovery implements Discovery {
  readonly settings: readonly Setting[] = []
  readonly #channels = new Map<string, readonly string[]>()
  /** By the beginning of names of topics. */
  readonly #channelsByPrefix: readonly (readonly [prefix: string, channels: readonly string[]])[]

  constructor({ topics }: StaticDiscoveryOptions) {
    const byPrefix: [string, readonly string[]][] = []
    for (const [key, channels] of Object.entries(topics)) {
      if (key.endsWith('*')) byPrefix.push([key.slice(0, -1), channels])
      else this.#channels.set(key, channels)
    }
    this.#channelsByPrefix = byPrefix
  }

  start(): void {}
  topicCreated(): void {}
  topicDeleted(): void {}
  channelCreated(): void {}
  channelDeleted(): void {}

  /** An ephemeral topic has only the channels of its own name: with others it would never go away. */
  async channelsOf(topic: string): Promise<readonly string[]> {
    const names = new Set(this.#channels.get(topic))
    if (isEphemeral(topic)) return [...names]
    for (const [prefix, channels] of this.#channelsByPrefix) {
      if (topic.startsWith(prefix)) for (const channel of channels) names.add(channel)
    }
    return [...names]
  }

  async stop(): Promise<void> {}
}
