/** Limits and timings of a node, with nsqd's names and defaults. Sizes in bytes, times in milliseconds. */
export interface BrokerOptions {
  /** NSQ's version that this broker is compatible with, as clients and nsqadmin see it. */
  readonly version: string
  readonly broadcastAddress: string
  readonly hostname: string
  /** Ports under which others reach this node; 0: those that it listens on. */
  readonly broadcastTcpPort: number
  readonly broadcastHttpPort: number
  /** Where this node is, as clients and nsqlookupd are told; empty when nobody said. */
  readonly topologyRegion: string
  readonly topologyZone: string
  readonly msgTimeoutMs: number
  readonly msgTimeoutMsMax: number
  readonly reqTimeoutMsMax: number
  readonly msgSizeBytesMax: number
  readonly bodySizeBytesMax: number
  readonly readyCountMax: number
  readonly heartbeatIntervalMs: number
  readonly heartbeatIntervalMsMax: number
  readonly outputBufferSizeBytes: number
  readonly outputBufferSizeBytesMax: number
  readonly outputBufferTimeoutMs: number
  readonly outputBufferTimeoutMsMin: number
  readonly outputBufferTimeoutMsMax: number
  /** The highest level of deflate that clients are granted, 1 … 9. */
  readonly deflateLevelMax: number
  /** Quantiles of the time from publish to finish that are measured, each above 0 and at most 1, descending; `[]` measures nothing. */
  readonly e2eLatencyQuantiles: readonly number[]
  /** The time that these quantiles are of. */
  readonly e2eLatencyWindowMs: number
  /** Consumers per channel; 0 is unlimited. */
  readonly channelConsumersMax: number
  /** Records that wait on an ephemeral channel (or topic without channel) before the newest are dropped. */
  readonly memQueueSize: number
  /** What slabs, bodies being read and output buffers may take together before publishes are refused. */
  readonly memorySizeBytesMax: number
  /** How long a new topic's messages wait at most for discovery to say which channels it has elsewhere. */
  readonly discoveryTimeoutMsMax: number
  /** What an `OK` promises for every topic that {@link durabilityByTopic} does not name. */
  readonly durability: 'none' | 'process' | 'power'
  /**
   * Other durabilities, by topic: a whole name, or the beginning of names with `*` behind it. The name itself counts
   * first, then the longest beginning. Ephemeral topics always have the weakest that the storage offers.
   */
  readonly durabilityByTopic: Readonly<Record<string, 'none' | 'process' | 'power'>>
}
