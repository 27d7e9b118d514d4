import type { BrokerOptions } from '../contracts/options.js'
import type { Durability, StorageCapabilities } from '../contracts/storage.js'
import { isEphemeral } from '../names.js'

/** How durable each topic is, as the configuration says. */
export class TopicDurabilities {
  readonly #weakest: Durability
  readonly #others: Durability
  readonly #names = new Map<string, Durability>()
  /** Beginnings of names, the longest first. */
  readonly #beginnings: readonly (readonly [string, Durability])[]

  constructor(
    { durability, durabilityByTopic }: Pick<BrokerOptions, 'durability' | 'durabilityByTopic'>,
    { durabilities }: Pick<StorageCapabilities, 'durabilities'>,
  ) {
    this.#weakest = durabilities[0]
    this.#others = durability
    const beginnings: [string, Durability][] = []
    for (const [name, each] of Object.entries(durabilityByTopic)) {
      if (name.endsWith('*')) beginnings.push([name.slice(0, -1), each])
      else this.#names.set(name, each)
    }
    this.#beginnings = beginnings.sort(([a], [b]) => b.length - a.length)
  }

  /** Once per topic. Ephemeral ones are gone with the process whatever the configuration says. */
  of(topic: string): Durability {
    if (isEphemeral(topic)) return this.#weakest
    const named = this.#names.get(topic)
    if (named !== undefined) return named
    return this.#beginnings.find(([beginning]) => topic.startsWith(beginning))?.[1] ?? this.#others
  }
}
