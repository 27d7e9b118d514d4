import { type Clock, isEphemeral } from '@spillway/core'
import type { Peer } from './peer.js'
import { Producer, Registration } from './registration.js'

/** Longer lists are as they come: to put them in order would take longer than nsqds wait for an answer. */
const ORDERED_COUNT_MAX = 10_000

/** No more topics, channels and producers fit. */
export class DatabaseFullError extends Error {
  override readonly name = 'DatabaseFullError'
}

export interface DatabaseOptions {
  readonly clock: Clock
  /** Topics, channels and producers at them, together. */
  readonly countMax: number
  /** Called when a topic or channel comes or goes. */
  onChange?(): void
}

/**
 * Which nsqds have which topics and channels. A topic and its channels are known apart from each other, as in nsqlookupd: one
 * may be there without the other. Topics and channels stay when their last producer goes; only ephemeral ones that it has
 * unregistered, or that were deleted, do not.
 */
export class RegistrationDatabase {
  readonly #clock: Clock
  readonly #countMax: number
  readonly #onChange: () => void
  readonly #peers = new Set<Peer>()
  readonly #topics = new Map<string, Registration>()
  readonly #channels = new Map<string, Map<string, Registration>>()
  #count = 0

  constructor({ clock, countMax, onChange = () => {} }: DatabaseOptions) {
    this.#clock = clock
    this.#countMax = countMax
    this.#onChange = onChange
  }

  // ---- what nsqds do ---------------------------------------------------------------------------------------------

  addPeer(peer: Peer): void {
    this.#peers.add(peer)
  }

  /** It is gone, and is no producer any more. */
  removePeer(peer: Peer): void {
    this.#peers.delete(peer)
    for (const { producers } of peer.registrations) producers.delete(peer)
    this.#count -= peer.registrations.size
    peer.registrations.clear()
  }

  /** A producer that is there already stays as it is, with its tombstone. @throws DatabaseFullError; nothing has been done then */
  register(peer: Peer, topic: string, channel: string | null): void {
    this.#requireRoom(channel === null ? 2 : 4)
    this.#addProducer(this.#openTopic(topic), peer)
    if (channel !== null) this.#addProducer(this.#openChannel(topic, channel), peer)
  }

  /** Without a channel: from the topic and all its channels. */
  unregister(peer: Peer, topic: string, channel: string | null): void {
    if (channel !== null) {
      this.#removeProducer(this.#channels.get(topic)?.get(channel), peer)
      return
    }
    for (const registration of this.#channels.get(topic)?.values() ?? []) this.#detach(registration, peer)
    this.#removeProducer(this.#topics.get(topic), peer)
  }

  // ---- what people do --------------------------------------------------------------------------------------------

  /** @throws DatabaseFullError */
  createTopic(topic: string): void {
    this.#requireRoom(1)
    this.#openTopic(topic)
  }

  /** With its topic. @throws DatabaseFullError; nothing has been done then */
  createChannel(topic: string, channel: string): void {
    this.#requireRoom(2)
    this.#openTopic(topic)
    this.#openChannel(topic, channel)
  }

  /** Without its topic, which may not be there. @throws DatabaseFullError */
  restoreChannel(topic: string, channel: string): void {
    this.#requireRoom(1)
    this.#openChannel(topic, channel)
  }

  /** With its channels. nsqds that have it stay connected, and are its producers again only when they register it anew. */
  deleteTopic(topic: string): void {
    for (const registration of [...(this.#channels.get(topic)?.values() ?? [])]) this.#remove(registration)
    const registration = this.#topics.get(topic)
    if (registration !== undefined) this.#remove(registration)
  }

  /** @returns whether there was one */
  deleteChannel(topic: string, channel: string): boolean {
    const registration = this.#channels.get(topic)?.get(channel)
    if (registration === undefined) return false
    this.#remove(registration)
    return true
  }

  /** Hides the producers of a topic that have this name, see {@link Peer.nodeName}. */
  tombstone(topic: string, nodeName: string): void {
    for (const producer of this.#topics.get(topic)?.producers.values() ?? []) {
      if (producer.peer.nodeName === nodeName) producer.tombstone()
    }
  }

  // ---- what there is, in order of names unless it is long ---------------------------------------------------------------------------

  /** In the order in which they came. */
  get peers(): ReadonlySet<Peer> {
    return this.#peers
  }

  hasTopic(topic: string): boolean {
    return this.#topics.has(topic)
  }

  get topics(): string[] {
    return inOrder(this.#topics.keys())
  }

  /** Topics that have channels, whether they are there themselves or not. */
  get topicsWithChannels(): string[] {
    return inOrder(this.#channels.keys())
  }

  channelsOf(topic: string): string[] {
    return inOrder(this.#channels.get(topic)?.keys() ?? [])
  }

  /** Topics that a peer is a producer of. */
  topicsOf(peer: Peer): string[] {
    const topics: string[] = []
    for (const { topic, channel } of peer.registrations) if (channel === null) topics.push(topic)
    return inOrder(topics)
  }

  producersOf(topic: string): Iterable<Producer> {
    return this.#topics.get(topic)?.producers.values() ?? []
  }

  /** The producer that a peer is at a topic. */
  producerOf(topic: string, peer: Peer): Producer | undefined {
    return this.#topics.get(topic)?.producers.get(peer)
  }

  channelProducersOf(topic: string, channel: string): Iterable<Producer> {
    return this.#channels.get(topic)?.get(channel)?.producers.values() ?? []
  }

  /** Topics, channels and producers at them, together. */
  get count(): number {
    return this.#count
  }

  // -----------------------------------------------------------------------------------------------------------------

  #requireRoom(count: number): void {
    if (this.#count + count > this.#countMax) throw new DatabaseFullError(`more than ${this.#countMax} registrations`)
  }

  #openTopic(topic: string): Registration {
    let registration = this.#topics.get(topic)
    if (registration === undefined) {
      registration = new Registration(ownCopyOf(topic), null)
      this.#topics.set(registration.topic, registration)
      this.#added()
    }
    return registration
  }

  #openChannel(topic: string, channel: string): Registration {
    const existing = this.#channels.get(topic)?.get(channel)
    if (existing !== undefined) return existing
    const ownTopic = this.#topics.get(topic)?.topic ?? ownCopyOf(topic)
    const registration = new Registration(ownTopic, ownCopyOf(channel))
    const channels = this.#channels.get(topic) ?? new Map<string, Registration>()
    channels.set(registration.channel as string, registration)
    this.#channels.set(ownTopic, channels)
    this.#added()
    return registration
  }

  #added(): void {
    this.#count++
    this.#onChange()
  }

  #addProducer(registration: Registration, peer: Peer): void {
    if (registration.producers.has(peer)) return
    registration.producers.set(peer, new Producer(peer, this.#clock))
    peer.registrations.add(registration)
    this.#count++
  }

  #detach(registration: Registration, peer: Peer): void {
    if (!registration.producers.delete(peer)) return
    peer.registrations.delete(registration)
    this.#count--
  }

  /** With what is ephemeral and has nobody left. */
  #removeProducer(registration: Registration | undefined, peer: Peer): void {
    if (registration === undefined) return
    this.#detach(registration, peer)
    const { producers, topic, channel } = registration
    if (producers.size === 0 && isEphemeral(channel ?? topic)) this.#remove(registration)
  }

  #remove(registration: Registration): void {
    const { topic, channel, producers } = registration
    for (const peer of [...producers.keys()]) this.#detach(registration, peer)
    if (channel === null) {
      this.#topics.delete(topic)
    } else {
      const channels = this.#channels.get(topic)
      channels?.delete(channel)
      if (channels?.size === 0) this.#channels.delete(topic)
    }
    this.#count--
    this.#onChange()
  }
}

/** Unless they are too many. */
export function inOrder(names: Iterable<string>): string[] {
  const list = [...names]
  return list.length > ORDERED_COUNT_MAX ? list : list.sort()
}

/** A name is a piece of what somebody sent; as such it would keep all of that in memory, up to 16 KiB. */
function ownCopyOf(name: string): string {
  return Buffer.from(name, 'latin1').toString('latin1')
}
