import type { BrokerOptions } from '../contracts/options.js'

/** nsqd's defaults, with 256 MiB of memory: what a test starts from. */
export const TEST_BROKER_OPTIONS: BrokerOptions = {
  version: '1.3.0',
  broadcastAddress: '127.0.0.1',
  hostname: 'test',
  msgTimeoutMs: 60_000,
  msgTimeoutMsMax: 900_000,
  reqTimeoutMsMax: 3_600_000,
  msgSizeBytesMax: 1_048_576,
  bodySizeBytesMax: 5_242_880,
  readyCountMax: 2500,
  heartbeatIntervalMs: 30_000,
  heartbeatIntervalMsMax: 60_000,
  outputBufferSizeBytes: 16_384,
  outputBufferSizeBytesMax: 65_536,
  outputBufferTimeoutMs: 250,
  outputBufferTimeoutMsMin: 25,
  outputBufferTimeoutMsMax: 30_000,
  channelConsumersMax: 0,
  memQueueSize: 10_000,
  memorySizeBytesMax: 256 * 1024 * 1024,
  discoveryTimeoutMsMax: 1000,
  durability: 'none',
  durabilityByTopic: {},
}
