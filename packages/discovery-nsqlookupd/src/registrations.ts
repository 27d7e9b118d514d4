/**
 * What this node has: its topics with their channels, in the order in which they came. It is kept once, whatever the
 * number of nsqlookupd: one that was away is told what there is when it is back, not what happened meanwhile.
 */
export class Registrations {
  readonly #topics = new Map<string, Set<string>>()

  /** In order. */
  get topics(): IterableIterator<string> {
    return this.#topics.keys()
  }

  /** @returns whether it was new */
  addTopic(topic: string): boolean {
    if (this.#topics.has(topic)) return false
    this.#topics.set(topic, new Set())
    return true
  }

  /** @returns whether it was new */
  addChannel(topic: string, channel: string): boolean {
    this.addTopic(topic)
    const channels = this.#topics.get(topic) as Set<string>
    if (channels.has(channel)) return false
    channels.add(channel)
    return true
  }

  /** @returns the channels that it had; null when it was not there */
  deleteTopic(topic: string): readonly string[] | null {
    const channels = this.#topics.get(topic)
    if (channels === undefined) return null
    this.#topics.delete(topic)
    return [...channels]
  }

  /** @returns whether it was there */
  deleteChannel(topic: string, channel: string): boolean {
    return this.#topics.get(topic)?.delete(channel) ?? false
  }

  /** The commands that register a topic as it is now: a line for each channel, or one for the topic where there is none. */
  linesOf(topic: string): string[] {
    const channels = this.#topics.get(topic)
    if (channels === undefined) return []
    if (channels.size === 0) return [registerLine(topic)]
    return Array.from(channels, (channel) => registerLine(topic, channel))
  }
}

export function registerLine(topic: string, channel?: string): string {
  return channel === undefined ? `REGISTER ${topic}\n` : `REGISTER ${topic} ${channel}\n`
}

export function unregisterLine(topic: string, channel?: string): string {
  return `UN${registerLine(topic, channel)}`
}
