import type { Setting } from './setting.js'

/** What a node says of itself to a discovery service. Known only once its transports listen. */
export interface NodeAddress {
  readonly broadcastAddress: string
  readonly hostname: string
  /** Port for V2 clients; 0 when there is none. */
  readonly tcpPort: number
  /** Port of the HTTP API; 0 when there is none. */
  readonly httpPort: number
  readonly version: string
  /** Empty when nobody said. */
  readonly topologyRegion: string
  readonly topologyZone: string
}

/**
 * Tells others what this node has, and asks what they have. A discovery that cannot reach anybody logs it and stays out
 * of the way: none of these calls ever fails the broker.
 */
export interface Discovery {
  /**
   * What of it `/config` shows, and may change while the node runs; often nothing. The list stays the same. They are asked and
   * set from when the transports listen on, so also before `start`. Where two have the same name, the one of whichever was configured first counts.
   */
  readonly settings: readonly Setting[]
  /** Called once, after the transports listen and before the first announcement. Must not wait for the network. */
  start(node: NodeAddress): void
  /** A topic came to exist. Announcements are made in the order in which things happen, and returned from at once. */
  topicCreated(topic: string): void
  topicDeleted(topic: string): void
  channelCreated(topic: string, channel: string): void
  channelDeleted(topic: string, channel: string): void
  /**
   * The channels that a topic, new on this node, has elsewhere. The engine creates them and holds the topic's release
   * point until this has settled or its own bound has passed, so that the first message reaches them all. Ephemeral
   * channels are ignored. A rejection is logged and means "none".
   */
  channelsOf(topic: string): Promise<readonly string[]>
  /** Withdraws this node and releases everything. Idempotent. */
  stop(): Promise<void>
}
