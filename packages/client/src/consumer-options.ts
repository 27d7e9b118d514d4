import type { Address } from './address.js'
import {
  type ConnectionOptions,
  type ConnectionSettings,
  readAddresses,
  readConnectionOptions,
} from './connection-options.js'
import { type LookupAddress, parseLookupAddress } from './lookup.js'
import type { Message } from './message.js'
import { isValidName, NAME_RULE } from './names.js'
import { OptionReader } from './option-reader.js'

/** What a {@link Consumer} is made with. Give `address`, `addresses`, `lookupdAddress` or `lookupdAddresses`. */
export interface ConsumerOptions extends ConnectionOptions {
  readonly topic: string
  readonly channel: string
  /** Of the node: `host:port`, or the path of a Unix socket. */
  readonly address?: string
  /** Of nodes; it consumes from all of them. */
  readonly addresses?: readonly string[]
  /** Of an nsqlookupd that says which nodes have the topic: `host:port`, or an URL. */
  readonly lookupdAddress?: string
  /** Of several nsqlookupd: what any of them knows counts. */
  readonly lookupdAddresses?: readonly string[]
  /**
   * Messages that may be in flight at once, over all nodes. It is also how many handlers run at once. Default 1: one message
   * after the other. For throughput, some hundreds; 0: none, until {@link Consumer.setMaxInFlight}.
   */
  readonly maxInFlight?: number
  /** How long the node waits for a message to be finished, requeued or touched. 1,000 or more, and at most what the node allows. Default: the node's (nsqd: 60,000). */
  readonly messageTimeoutMs?: number
  /** Gets about that share of the messages; the channel's others are lost. 1 to 99. Default: all. */
  readonly sampleRatePercent?: number
  /** A message that comes with more attempts is discarded: finished without being handled. 0: never. Default 5. */
  readonly maxAttempts?: number
  /**
   * Gets a message before it is discarded; keep it elsewhere here. The message is finished once this has returned, or
   * resolved; when it throws or rejects, the message is requeued and comes again.
   */
  readonly onDiscarded?: (message: Message) => void | Promise<void>
  /** How long a failed message waits: that, times its attempts. Default 90,000. */
  readonly requeueDelayMs?: number
  /** What that is at most. Default 900,000. */
  readonly requeueDelayMsMax?: number
  /** After a failure nothing is taken for that, doubled for each level of backoff. Default 1,000. */
  readonly backoffDelayMs?: number
  /** What that is at most. 0: failures do not make it back off. Default 120,000. */
  readonly backoffDelayMsMax?: number
  /** Waits a random part of it, so that consumers that failed together do not come back together. Default false. */
  readonly backoffJitter?: boolean
  /** How often nodes take turns when there are more of them than `maxInFlight`. Default 5,000. */
  readonly rdyRedistributeIntervalMs?: number
  /** A node whose turn it is and that has sent nothing for so long gives it up. Default 10,000. */
  readonly lowRdyIdleTimeoutMs?: number
  /** A node gives its turn up after that in any case. Default 30,000. */
  readonly lowRdyTimeoutMs?: number
  /** How often nsqlookupd is asked; it is asked at once when a connection was lost. Default 60,000. */
  readonly lookupdPollIntervalMs?: number
  /** Up to how much of that is added before the first time, by chance: so that consumers that started together do not ask together. Default 30. */
  readonly lookupdPollJitterPercent?: number
  /** Default 5,000. */
  readonly lookupdTimeoutMs?: number
  /** Sends nsqlookupd `authSecret` as a bearer token, as go-nsq does. Default false. */
  readonly lookupdAuthorization?: boolean
  /** How long {@link Consumer.close} waits for messages in flight. Default 30,000. */
  readonly closeTimeoutMs?: number
}

export interface ConsumerSettings {
  readonly topic: string
  readonly channel: string
  readonly connection: ConnectionSettings
  readonly addresses: readonly Address[]
  readonly lookupdAddresses: readonly LookupAddress[]
  readonly maxInFlight: number
  readonly maxAttempts: number
  readonly onDiscarded: ((message: Message) => void | Promise<void>) | null
  readonly requeueDelayMs: number
  readonly requeueDelayMsMax: number
  readonly backoffDelayMs: number
  readonly backoffDelayMsMax: number
  readonly backoffJitter: boolean
  readonly rdyRedistributeIntervalMs: number
  readonly lowRdyIdleTimeoutMs: number
  readonly lowRdyTimeoutMs: number
  readonly lookupdPollIntervalMs: number
  readonly lookupdPollJitterPercent: number
  readonly lookupdTimeoutMs: number
  readonly lookupdAuthorization: boolean
  readonly closeTimeoutMs: number
}

const DAY_MS = 86_400_000

/** @throws NsqError `E_INVALID_OPTION` */
export function readConsumerOptions(raw: ConsumerOptions): ConsumerSettings {
  const options = new OptionReader(raw)
  const name = (key: 'topic' | 'channel'): string => {
    const value = options.take(key)
    if (isValidName(value)) return value
    options.mistake(key, NAME_RULE, value)
    return ''
  }
  const duration = (key: keyof ConsumerOptions, fallback: number, min = 1): number =>
    options.integer(key, { min, max: DAY_MS }, fallback)
  const settings = {
    topic: name('topic'),
    channel: name('channel'),
    connection: readConnectionOptions(options, {
      messageTimeoutMs: options.integer('messageTimeoutMs', { min: 1_000, max: DAY_MS }, 0),
      sampleRatePercent: options.integer('sampleRatePercent', { min: 1, max: 99 }, 0),
    }),
    addresses: readAddresses(options),
    lookupdAddresses: readLookupAddresses(options),
    maxInFlight: options.integer('maxInFlight', { min: 0 }, 1),
    maxAttempts: options.integer('maxAttempts', { min: 0, max: 65_535 }, 5),
    onDiscarded: options.callback<(message: Message) => void | Promise<void>>('onDiscarded'),
    requeueDelayMs: duration('requeueDelayMs', 90_000, 0),
    requeueDelayMsMax: duration('requeueDelayMsMax', 900_000, 0),
    backoffDelayMs: duration('backoffDelayMs', 1_000),
    backoffDelayMsMax: duration('backoffDelayMsMax', 120_000, 0),
    backoffJitter: options.boolean('backoffJitter', false),
    rdyRedistributeIntervalMs: duration('rdyRedistributeIntervalMs', 5_000),
    lowRdyIdleTimeoutMs: duration('lowRdyIdleTimeoutMs', 10_000),
    lowRdyTimeoutMs: duration('lowRdyTimeoutMs', 30_000),
    lookupdPollIntervalMs: duration('lookupdPollIntervalMs', 60_000),
    lookupdPollJitterPercent: options.integer('lookupdPollJitterPercent', { min: 0, max: 100 }, 30),
    lookupdTimeoutMs: duration('lookupdTimeoutMs', 5_000),
    lookupdAuthorization: options.boolean('lookupdAuthorization', false),
    closeTimeoutMs: duration('closeTimeoutMs', 30_000, 0),
  }
  const given = [raw.address ?? raw.addresses, raw.lookupdAddress ?? raw.lookupdAddresses]
  if (given.every((each) => each === undefined))
    options.complain('address, addresses, lookupdAddress or lookupdAddresses is missing')
  options.finish()
  return settings
}

function readLookupAddresses(options: OptionReader): readonly LookupAddress[] {
  const addresses: LookupAddress[] = []
  for (const text of options.stringOrSeveral('lookupdAddress', 'lookupdAddresses')) {
    const address = parseLookupAddress(text)
    if (address !== null) addresses.push(address)
    else options.complain(`lookupd address ${JSON.stringify(text)} is neither host:port nor an URL`)
  }
  return addresses
}
