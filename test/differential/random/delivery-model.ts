/** A message of one channel. */
interface Delivery {
  readonly label: string
  /** Came back at least once. */
  isAgain: boolean
  state: 'waiting' | 'held' | 'deferred' | 'gone'
  holder: ModelConsumer | null
}

interface Published {
  readonly label: string
  readonly isLater: boolean
}

export interface ModelConsumer {
  readonly name: string
  readonly channel: ModelChannel
  ready: number
  isClosing: boolean
  /** In the order in which they came; one that came twice is there twice. */
  readonly received: Delivery[]
  /** Frames that are still to come, replies and messages. */
  due: number
}

export interface ModelChannel {
  readonly name: string
  isPaused: boolean
  waiting: Delivery[]
  all: Delivery[]
  readonly consumers: Set<ModelConsumer>
}

/**
 * How many messages go where on one topic, as NSQ has it, so that a conversation knows what it can wait for. Where that
 * is a matter of luck (two consumers that both want the next message, or the order of old and new ones) it says so.
 */
export class DeliveryModel {
  isLuck = false
  isThere = false
  isPaused = false
  backlog: Published[] = []
  readonly channels = new Map<string, ModelChannel>()
  readonly consumers = new Map<string, ModelConsumer>()

  publish(labels: readonly string[], isLater: boolean): void {
    this.isThere = true
    this.backlog.push(...labels.map((label) => ({ label, isLater })))
    this.#release()
  }

  setPaused(isPaused: boolean): void {
    this.isPaused = isPaused
    this.#release()
  }

  openChannel(name: string): ModelChannel {
    this.isThere = true
    const there = this.channels.get(name)
    if (there !== undefined) return there
    const channel: ModelChannel = { name, isPaused: false, waiting: [], all: [], consumers: new Set() }
    this.channels.set(name, channel)
    this.#release()
    return channel
  }

  setChannelPaused(channel: ModelChannel, isPaused: boolean): void {
    channel.isPaused = isPaused
    this.#deliver(channel)
  }

  emptyChannel(channel: ModelChannel): void {
    for (const delivery of channel.all) delivery.state = 'gone'
    channel.all = []
    channel.waiting = []
  }

  /** @returns the consumers that are cut off */
  deleteChannel(channel: ModelChannel): ModelConsumer[] {
    this.emptyChannel(channel)
    this.channels.delete(channel.name)
    const cut = [...channel.consumers]
    for (const { name } of cut) this.consumers.delete(name)
    return cut
  }

  /** @returns the consumers that are cut off */
  delete(): ModelConsumer[] {
    const cut = [...this.channels.values()].flatMap((channel) => this.deleteChannel(channel))
    this.isThere = false
    this.isPaused = false
    this.backlog = []
    return cut
  }

  subscribe(consumerName: string, channelName: string): ModelConsumer {
    const channel = this.openChannel(channelName)
    const consumer: ModelConsumer = { name: consumerName, channel, ready: 0, isClosing: false, received: [], due: 0 }
    channel.consumers.add(consumer)
    this.consumers.set(consumerName, consumer)
    return consumer
  }

  /** What it holds stays with it; an ephemeral channel goes with its last consumer. */
  leave(consumer: ModelConsumer): void {
    const { channel } = consumer
    consumer.ready = 0
    channel.consumers.delete(consumer)
    this.consumers.delete(consumer.name)
    if (channel.name.endsWith('#ephemeral') && channel.consumers.size === 0) this.deleteChannel(channel)
  }

  setReady(consumer: ModelConsumer, count: number): void {
    if (!consumer.isClosing) consumer.ready = count
    this.#deliver(consumer.channel)
  }

  /** FIN, REQ or TOUCH of the message that it received so many messages ago; a failure is a reply. */
  settle(consumer: ModelConsumer, index: number, how: 'finish' | 'again' | 'later' | 'touch'): void {
    const delivery = consumer.received[index]
    if (delivery === undefined) {
      this.isLuck = true
      return
    }
    if (delivery.state !== 'held' || delivery.holder !== consumer) {
      consumer.due++
      return
    }
    if (how === 'touch') return
    delivery.holder = null
    if (how === 'finish') delivery.state = 'gone'
    if (how === 'later') delivery.state = 'deferred'
    if (how === 'again') {
      delivery.state = 'waiting'
      consumer.channel.waiting.push(delivery)
    }
    this.#deliver(consumer.channel)
  }

  count(channel: ModelChannel, state: 'held' | 'deferred'): number {
    return channel.all.filter((delivery) => delivery.state === state).length
  }

  #release(): void {
    if (this.isPaused || this.channels.size === 0) return
    const released = this.backlog
    this.backlog = []
    for (const channel of this.channels.values()) {
      for (const { label, isLater } of released) {
        const delivery: Delivery = { label, isAgain: false, state: isLater ? 'deferred' : 'waiting', holder: null }
        channel.all.push(delivery)
        if (!isLater) channel.waiting.push(delivery)
      }
      this.#deliver(channel)
    }
  }

  #deliver(channel: ModelChannel): void {
    while (channel.waiting.length > 0 && !channel.isPaused) {
      const hungry = [...channel.consumers].filter((consumer) => consumer.ready > this.#holds(consumer))
      if (hungry.length === 0) return
      const isMixed = new Set(channel.waiting.map(({ isAgain }) => isAgain)).size > 1
      if (hungry.length > 1 || isMixed) this.isLuck = true
      const [consumer] = hungry
      const delivery = channel.waiting.shift() as Delivery
      delivery.state = 'held'
      delivery.holder = consumer
      delivery.isAgain = true
      consumer.received.push(delivery)
      consumer.due++
    }
  }

  #holds(consumer: ModelConsumer): number {
    return consumer.channel.all.filter(({ holder, state }) => state === 'held' && holder === consumer).length
  }
}
