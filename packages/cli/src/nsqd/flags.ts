import type { LogLevel } from '@spillway/core'
import type { GoFlag } from '../go-flags.js'
import { parseGoBoolean, parseGoDurationMs, parseGoInteger } from '../go-values.js'
import { parseSizeBytes } from '../size.js'

/**
 * What a flag does here:
 * - `effective`: what nsqd's does, or what ours says
 * - `later`: it is checked, but its feature is not built yet
 * - `refused`: its feature protects and is not built yet, so nothing starts where it is asked for
 * - `never`: it tunes a part of nsqd that Spillway does not have
 */
export type FlagEffect = 'effective' | 'later' | 'refused' | 'never'

export interface NsqdFlag<T = unknown> extends GoFlag<T> {
  readonly effect: FlagEffect
  /** Where its value goes in the configuration, when it goes there as it is. */
  readonly pointer?: string
}

type Settings<T> = Partial<Omit<NsqdFlag<T>, 'parse'>>

function flag<T>(
  usage: string,
  valueName: string,
  parse: (text: string) => T,
  settings: Settings<T> = {},
): NsqdFlag<T> {
  const base = { defaultText: '', isBoolean: false, isRepeatable: false, effect: 'effective' as const }
  return { ...base, usage, valueName, parse, ...settings }
}

const asIs = (text: string): string => text
const list = (text: string): string[] => [text]

const string = (usage: string, settings?: Settings<string>) => flag(usage, 'string', asIs, settings)
const strings = (usage: string, settings?: Settings<string[]>) =>
  flag(usage, 'value', list, { isRepeatable: true, ...settings })
const integer = (usage: string, settings?: Settings<number>) => flag(usage, 'int', parseGoInteger, settings)
const duration = (usage: string, settings?: Settings<number>) => flag(usage, 'duration', parseGoDurationMs, settings)
const boolean = (usage: string, settings?: Settings<boolean>) =>
  flag(usage, '', parseGoBoolean, { isBoolean: true, ...settings })

function oneOf<T extends string>(...words: readonly T[]) {
  return (text: string): T => {
    const word = text.toLowerCase() as T
    if (!words.includes(word)) throw new Error(`expected one of ${words.join(', ')}`)
    return word
  }
}

const parseTlsRequired = (text: string): 'tcp-https' | boolean =>
  text.toLowerCase() === 'tcp-https' ? 'tcp-https' : parseGoBoolean(text)

/** Percentiles, several in one value by commas. What is no number is told later, as nsqd does. */
const parsePercentiles = (text: string): string[] => text.split(',')

const later = { effect: 'later' } as const
const refused = { effect: 'refused' } as const
const never = { effect: 'never' } as const
const to = (key: string) => ({ pointer: `/node/${key}` })

/** Every flag of nsqd 1.3, then our own. */
export const NSQD_FLAGS = {
  version: boolean('print version string'),
  config: string('path to a TOML config file', refused),
  'log-level': flag<LogLevel>(
    'debug, info, warn, error or fatal',
    'value',
    oneOf('debug', 'info', 'warn', 'error', 'fatal'),
    {
      defaultText: 'info',
      ...to('logLevel'),
    },
  ),
  'log-prefix': string('stands before every log line', { defaultText: '"[nsqd] "' }),
  verbose: boolean('deprecated', never),
  'worker-id': boolean('deprecated', never),
  'node-id': integer('number of this node, 0 to 1023', never),
  'tcp-address': string('<addr>:<port> or Unix socket for V2 clients; empty for none', {
    defaultText: '"0.0.0.0:4150"',
  }),
  'http-address': string('<addr>:<port> or Unix socket for HTTP clients; empty for none', {
    defaultText: '"0.0.0.0:4151"',
  }),
  'https-address': string('<addr>:<port> or Unix socket for HTTPS clients', {
    ...later,
    defaultText: '"0.0.0.0:4152"',
  }),
  'broadcast-address': string('address that is registered with lookupd', {
    defaultText: 'the host name',
    ...to('broadcastAddress'),
  }),
  'broadcast-tcp-port': integer('TCP port that is registered with lookupd', later),
  'broadcast-http-port': integer('HTTP port that is registered with lookupd', later),
  'lookupd-tcp-address': strings('lookupd TCP address (may be given several times)', later),
  'auth-http-address': strings('<addr>:<port> or URL of an auth server (may be given several times)', refused),
  'auth-http-request-method': string('get or post', { ...later, defaultText: '"get"' }),
  'http-client-connect-timeout': duration('timeout for HTTP connections to others', { ...later, defaultText: '2s' }),
  'http-client-request-timeout': duration('timeout for HTTP requests to others', { ...later, defaultText: '5s' }),
  'topology-region': string('region of this node', later),
  'topology-zone': string('zone of this node', later),
  'data-path': string('folder of everything that is stored', { defaultText: 'the working directory' }),
  'mem-queue-size': integer(
    'messages that wait on an ephemeral topic or channel; sizes the memory (32 KiB each) where --memory-limit is not given',
    {
      defaultText: '10000',
      ...to('memQueueSize'),
    },
  ),
  'max-bytes-per-file': integer('size of a disk queue file', never),
  'sync-every': integer('messages per disk queue fsync', never),
  'sync-timeout': duration('time between fsyncs of the journal', { defaultText: '2s' }),
  'queue-scan-worker-pool-max': integer('workers that look for timeouts', never),
  'queue-scan-selection-count': integer('channels that are looked at for timeouts at once', never),
  'msg-timeout': duration('time after which a message that is not finished is delivered again', {
    defaultText: '1m',
    ...to('msgTimeoutMs'),
  }),
  'max-msg-timeout': duration('longest message timeout', { defaultText: '15m', ...to('msgTimeoutMsMax') }),
  'max-msg-size': integer('largest message in bytes', { defaultText: '1048576', ...to('msgSizeBytesMax') }),
  'max-req-timeout': duration('longest delay of a requeued or deferred message', {
    defaultText: '1h',
    ...to('reqTimeoutMsMax'),
  }),
  'max-body-size': integer('largest command body in bytes', { defaultText: '5242880', ...to('bodySizeBytesMax') }),
  'max-heartbeat-interval': duration('longest heartbeat interval of a client', {
    defaultText: '1m',
    ...to('heartbeatIntervalMsMax'),
  }),
  'max-rdy-count': integer('highest RDY count of a client', { defaultText: '2500', ...to('readyCountMax') }),
  'max-output-buffer-size': integer('largest output buffer of a client in bytes', {
    defaultText: '65536',
    ...to('outputBufferSizeBytesMax'),
  }),
  'max-output-buffer-timeout': duration('longest output buffer timeout of a client', {
    defaultText: '30s',
    ...to('outputBufferTimeoutMsMax'),
  }),
  'min-output-buffer-timeout': duration('shortest output buffer timeout of a client', {
    defaultText: '25ms',
    ...to('outputBufferTimeoutMsMin'),
  }),
  'output-buffer-timeout': duration('output buffer timeout of clients that do not choose', {
    defaultText: '250ms',
    ...to('outputBufferTimeoutMs'),
  }),
  'max-channel-consumers': integer('consumers per channel; 0 is unlimited', {
    defaultText: '0',
    ...to('channelConsumersMax'),
  }),
  'statsd-address': string('UDP <addr>:<port> of a statsd daemon', later),
  'statsd-prefix': string('prefix of statsd keys, %s is the host', { ...later, defaultText: '"nsq.%s"' }),
  'statsd-interval': duration('time between pushes to statsd', { ...later, defaultText: '1m' }),
  'statsd-mem-stats': boolean('send memory stats to statsd', { ...later, defaultText: 'true' }),
  'statsd-udp-packet-size': integer('size of statsd packets in bytes', { ...later, defaultText: '508' }),
  'statsd-exclude-ephemeral': boolean('leave ephemeral topics and channels out', later),
  'e2e-processing-latency-percentile': flag(
    'percentile to track, above 0 and up to 1 (several: by commas, or again)',
    'value',
    parsePercentiles,
    {
      isRepeatable: true,
      ...later,
    },
  ),
  'e2e-processing-latency-window-time': duration('window of the percentiles', { ...later, defaultText: '10m' }),
  'tls-cert': string('path to the certificate file', refused),
  'tls-key': string('path to the key file', refused),
  'tls-client-auth-policy': string('require or require-verify', refused),
  'tls-root-ca-file': string('path to the certificate authorities', later),
  'tls-required': flag('true, false or tcp-https', '', parseTlsRequired, { isBoolean: true, ...refused }),
  'tls-min-version': flag('tls1.0, tls1.1, tls1.2 or tls1.3', 'value', oneOf('tls1.0', 'tls1.1', 'tls1.2', 'tls1.3'), {
    ...later,
    defaultText: 'tls1.0',
  }),
  deflate: boolean('offer deflate', { ...later, defaultText: 'true' }),
  'max-deflate-level': integer('highest deflate level of a client', { ...later, defaultText: '6' }),
  snappy: boolean('offer snappy', { ...later, defaultText: 'true' }),
  'enable-experiment': strings('experiment to enable (may be given several times)', later),

  storage: string('rocksdb, memory, a package name, or the path of a module (./ first)', { defaultText: '"rocksdb"' }),
  durability: flag('what an OK promises: none, process or power', 'value', oneOf('none', 'process', 'power'), {
    pointer: '/storage/options/durability',
  }),
  'memory-limit': flag(
    'memory for messages and buffers before publishes are refused, such as 512MiB',
    'size',
    parseSizeBytes,
    {
      defaultText: 'half of the memory, at most 512MiB with rocksdb',
      ...to('memorySizeBytesMax'),
    },
  ),
} satisfies Record<string, NsqdFlag>
