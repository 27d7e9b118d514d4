import {
  type Clock,
  type Discovery,
  type Logger,
  type NodeAddress,
  parseHostAndPort,
  type Random,
  type Setting,
} from '@spillway/core'
import { addressesSetting } from './addresses-setting.js'
import { ChannelQueries } from './channel-queries.js'
import { identifyCommand } from './identify.js'
import { LookupdPeer, type PeerParts } from './lookupd-peer.js'
import { NameLookups } from './name-lookups.js'
import type { NsqlookupdOptions } from './options.js'
import { Registrations, registerLine, unregisterLine } from './registrations.js'

/** What of its surroundings it uses. */
export interface DiscoverySurroundings {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Registers the node with every nsqlookupd that there is, and asks them which channels topics have elsewhere. */
export class NsqlookupdDiscovery implements Discovery {
  /** `nsqlookupd_tcp_addresses` */
  readonly settings: readonly Setting[]
  readonly #options: NsqlookupdOptions
  readonly #surroundings: DiscoverySurroundings
  readonly #registrations = new Registrations()
  readonly #names: NameLookups
  readonly #queries: ChannelQueries
  readonly #peers = new Map<string, LookupdPeer>()
  /** Peers that are no longer wanted, until nothing of them is left. */
  readonly #closing = new Set<Promise<void>>()
  #addresses: readonly string[]
  /** From `start` to `stop`. */
  #parts: PeerParts | null = null
  #hasStopped = false

  constructor(options: NsqlookupdOptions, surroundings: DiscoverySurroundings, names = new NameLookups()) {
    this.#options = options
    this.#surroundings = surroundings
    this.#names = names
    this.#addresses = options.tcpAddresses
    this.settings = [addressesSetting(options.tcpAddresses, (addresses) => this.#setAddresses(addresses))]
    this.#queries = new ChannelQueries({
      connectTimeoutMs: options.httpConnectTimeoutMs,
      requestTimeoutMs: options.httpRequestTimeoutMs,
      clock: surroundings.clock,
      lookup: names.lookup,
    })
  }

  start(node: NodeAddress): void {
    if (this.#hasStopped) return
    this.#parts = {
      ...this.#surroundings,
      options: this.#options,
      registrations: this.#registrations,
      queries: this.#queries,
      lookup: this.#names.lookup,
      identify: identifyCommand(node),
    }
    this.#setAddresses(this.#addresses)
  }

  topicCreated(topic: string): void {
    if (this.#registrations.addTopic(topic)) this.#tell(topic, [registerLine(topic)])
  }

  /** Its channels are named as well: only so does nsqlookupd forget those that are ephemeral. */
  topicDeleted(topic: string): void {
    const channels = this.#registrations.deleteTopic(topic)
    if (channels === null) return
    this.#tell(topic, [unregisterLine(topic), ...channels.map((channel) => unregisterLine(topic, channel))])
  }

  channelCreated(topic: string, channel: string): void {
    if (this.#registrations.addChannel(topic, channel)) this.#tell(topic, [registerLine(topic, channel)])
  }

  channelDeleted(topic: string, channel: string): void {
    if (this.#registrations.deleteChannel(topic, channel)) this.#tell(topic, [unregisterLine(topic, channel)])
  }

  /** What any of them knows. One that does not answer knows nothing; that it does not is in the log, once. */
  async channelsOf(topic: string): Promise<readonly string[]> {
    const answers = await Promise.all(Array.from(this.#peers.values(), (peer) => peer.channelsOf(topic)))
    return [...new Set(answers.flat())]
  }

  async stop(): Promise<void> {
    this.#hasStopped = true
    this.#parts = null
    for (const address of this.#peers.keys()) this.#close(address)
    this.#queries.close()
    await Promise.all(this.#closing)
  }

  #tell(topic: string, lines: readonly string[]): void {
    for (const peer of this.#peers.values()) peer.tell(topic, lines)
  }

  /** Those that stay are left alone. */
  #setAddresses(addresses: readonly string[]): void {
    this.#addresses = addresses
    const parts = this.#parts
    if (parts === null) return
    for (const address of this.#peers.keys()) {
      if (!addresses.includes(address)) this.#close(address)
    }
    for (const address of addresses) {
      if (this.#peers.has(address)) continue
      const target = parseHostAndPort(address)
      if (target !== null) this.#peers.set(address, new LookupdPeer(address, target, parts))
      else {
        const expected = 'expected host:port with a port from 1 to 65535'
        parts.logger.warn(`LOOKUPD(${address}): is not used: ${expected}`)
      }
    }
  }

  #close(address: string): void {
    const closing = (this.#peers.get(address) as LookupdPeer).close()
    this.#peers.delete(address)
    this.#closing.add(closing)
    void closing.then(() => this.#closing.delete(closing))
  }
}
