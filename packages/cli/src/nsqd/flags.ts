import type { LogLevel } from '@spillway/core'
import type { ConfigFlag } from '../config-flag.js'
import { parseGoBoolean, parseGoDurationMs, parseGoInteger } from '../go-values.js'
import { parseSizeBytes } from '../size.js'
import { TLS_VERSIONS, type TlsVersion } from './tls-flags.js'

/**
 * What a flag does here:
 * - `effective`: what nsqd's does, or what ours says
 * - `never`: it tunes a part of nsqd that Spillway does not have
 */
export type FlagEffect = 'effective' | 'never'

export interface NsqdFlag<T = unknown> extends ConfigFlag<T> {
  readonly effect: FlagEffect
  /** Where its value goes in the configuration, when it goes there as it is. */
  readonly pointer?: string
  /** What it is where it is not given, as {@link parse} would give it; as `/config` shows it. */
  readonly defaultValue?: T
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

const parseTlsVersion = oneOf(...TLS_VERSIONS)

/** Nothing is the default: nsqd's own sample configuration says it so. */
const parseTlsVersionOrNone = (text: string): TlsVersion | '' => (text === '' ? '' : parseTlsVersion(text))

const parseTlsRequired = (text: string): 'tcp-https' | boolean =>
  text.toLowerCase() === 'tcp-https' ? 'tcp-https' : parseGoBoolean(text)

/** Percentiles, several in one value by commas. What is no number is told later, as nsqd does. */
const parsePercentiles = (text: string): string[] => text.split(',')

const never = { effect: 'never' } as const
const to = (key: string) => ({ pointer: `/node/${key}` })

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const MIB = 1024 * 1024

/** Every flag of nsqd 1.3, then our own. */
export const NSQD_FLAGS = {
  version: boolean('print version string'),
  config: string('path to a TOML config file'),
  'log-level': flag<LogLevel>(
    'debug, info, warn, error or fatal',
    'value',
    oneOf('debug', 'info', 'warn', 'error', 'fatal'),
    { defaultText: 'info', defaultValue: 'info', ...to('logLevel') },
  ),
  'log-prefix': string('stands before every log line', { defaultText: '"[nsqd] "', defaultValue: '[nsqd] ' }),
  verbose: boolean('deprecated', never),
  'worker-id': boolean('deprecated', never),
  'node-id': integer('number of this node, 0 to 1023', { ...never, key: 'id', defaultValue: 0 }),
  'tcp-address': string('<addr>:<port> or Unix socket for V2 clients; empty for none', {
    defaultText: '"0.0.0.0:4150"',
    defaultValue: '0.0.0.0:4150',
  }),
  'http-address': string('<addr>:<port> or Unix socket for HTTP clients; empty for none', {
    defaultText: '"0.0.0.0:4151"',
    defaultValue: '0.0.0.0:4151',
  }),
  'https-address': string('<addr>:<port> for HTTPS clients, where there is a certificate; empty for none', {
    defaultText: '"0.0.0.0:4152"',
    defaultValue: '0.0.0.0:4152',
  }),
  'broadcast-address': string('address that is registered with lookupd', {
    defaultText: 'the host name',
    ...to('broadcastAddress'),
  }),
  'broadcast-tcp-port': integer('TCP port that is registered with lookupd', {
    defaultValue: 0,
    ...to('broadcastTcpPort'),
  }),
  'broadcast-http-port': integer('HTTP port that is registered with lookupd', {
    defaultValue: 0,
    ...to('broadcastHttpPort'),
  }),
  'lookupd-tcp-address': strings('<addr>:<port> of an nsqlookupd (may be given several times)', {
    key: 'nsqlookupd_tcp_addresses',
    defaultValue: [],
  }),
  'auth-http-address': strings('<addr>:<port> or URL of an auth server (may be given several times)', {
    key: 'auth_http_addresses',
    defaultValue: [],
  }),
  'auth-http-request-method': string('get or post', { defaultText: '"get"', defaultValue: 'get' }),
  'http-client-connect-timeout': duration('timeout for HTTP connections to others', {
    defaultText: '2s',
    defaultValue: 2 * SECOND_MS,
  }),
  'http-client-request-timeout': duration('timeout for HTTP requests to others', {
    defaultText: '5s',
    defaultValue: 5 * SECOND_MS,
  }),
  'topology-region': string('region of this node', { defaultValue: '', ...to('topologyRegion') }),
  'topology-zone': string('zone of this node', { defaultValue: '', ...to('topologyZone') }),
  'data-path': string('folder of everything that is stored', {
    defaultText: 'the working directory',
    defaultValue: '',
  }),
  'mem-queue-size': integer(
    'messages that wait on an ephemeral topic or channel; sizes the memory (32 KiB each) where --memory-limit is not given',
    { defaultText: '10000', defaultValue: 10_000, ...to('memQueueSize') },
  ),
  'max-bytes-per-file': integer('size of a disk queue file', { ...never, defaultValue: 100 * MIB }),
  'sync-every': integer('messages per disk queue fsync', { ...never, defaultValue: 2_500 }),
  'sync-timeout': duration('time between fsyncs of the journal', { defaultText: '2s', defaultValue: 2 * SECOND_MS }),
  'queue-scan-worker-pool-max': integer('workers that look for timeouts', { ...never, defaultValue: 4 }),
  'queue-scan-selection-count': integer('channels that are looked at for timeouts at once', {
    ...never,
    defaultValue: 20,
  }),
  'msg-timeout': duration('time after which a message that is not finished is delivered again', {
    defaultText: '1m',
    defaultValue: MINUTE_MS,
    ...to('msgTimeoutMs'),
  }),
  'max-msg-timeout': duration('longest message timeout', {
    defaultText: '15m',
    defaultValue: 15 * MINUTE_MS,
    ...to('msgTimeoutMsMax'),
  }),
  'max-msg-size': integer('largest message in bytes', {
    defaultText: '1048576',
    defaultValue: MIB,
    ...to('msgSizeBytesMax'),
  }),
  'max-req-timeout': duration('longest delay of a requeued or deferred message', {
    defaultText: '1h',
    defaultValue: 60 * MINUTE_MS,
    ...to('reqTimeoutMsMax'),
  }),
  'max-body-size': integer('largest command body in bytes', {
    defaultText: '5242880',
    defaultValue: 5 * MIB,
    ...to('bodySizeBytesMax'),
  }),
  'max-heartbeat-interval': duration('longest heartbeat interval of a client', {
    defaultText: '1m',
    defaultValue: MINUTE_MS,
    ...to('heartbeatIntervalMsMax'),
  }),
  'max-rdy-count': integer('highest RDY count of a client', {
    defaultText: '2500',
    defaultValue: 2_500,
    ...to('readyCountMax'),
  }),
  'max-output-buffer-size': integer('largest output buffer of a client in bytes', {
    defaultText: '65536',
    defaultValue: 65_536,
    ...to('outputBufferSizeBytesMax'),
  }),
  'max-output-buffer-timeout': duration('longest output buffer timeout of a client', {
    defaultText: '30s',
    defaultValue: 30 * SECOND_MS,
    ...to('outputBufferTimeoutMsMax'),
  }),
  'min-output-buffer-timeout': duration('shortest output buffer timeout of a client', {
    defaultText: '25ms',
    defaultValue: 25,
    ...to('outputBufferTimeoutMsMin'),
  }),
  'output-buffer-timeout': duration('output buffer timeout of clients that do not choose', {
    defaultText: '250ms',
    defaultValue: 250,
    ...to('outputBufferTimeoutMs'),
  }),
  'max-channel-consumers': integer('consumers per channel; 0 is unlimited', {
    defaultText: '0',
    defaultValue: 0,
    ...to('channelConsumersMax'),
  }),
  'statsd-address': string('UDP <addr>:<port> of a statsd daemon', { defaultValue: '' }),
  'statsd-prefix': string('prefix of statsd keys, %s is the host', {
    defaultText: '"nsq.%s"',
    defaultValue: 'nsq.%s',
  }),
  'statsd-interval': duration('time between pushes to statsd', { defaultText: '1m', defaultValue: MINUTE_MS }),
  'statsd-mem-stats': boolean('send memory stats to statsd', { defaultText: 'true', defaultValue: true }),
  'statsd-udp-packet-size': integer('size of statsd packets in bytes', { defaultText: '508', defaultValue: 508 }),
  'statsd-exclude-ephemeral': boolean('leave ephemeral topics and channels out', { defaultValue: false }),
  'e2e-processing-latency-percentile': flag(
    'percentile to track, above 0 and up to 1 (several: by commas, or again)',
    'value',
    parsePercentiles,
    { isRepeatable: true, key: 'e2e_processing_latency_percentiles', defaultValue: [] },
  ),
  'e2e-processing-latency-window-time': duration('window of the percentiles', {
    defaultText: '10m',
    defaultValue: 10 * MINUTE_MS,
    ...to('e2eLatencyWindowMs'),
  }),
  'tls-cert': string('path to the certificate file', { defaultValue: '' }),
  'tls-key': string('path to the key file', { defaultValue: '' }),
  'tls-client-auth-policy': string('certificates of clients: require (any) or require-verify', { defaultValue: '' }),
  'tls-root-ca-file': string('path to the certificate authorities', { defaultValue: '' }),
  'tls-required': flag('TLS is required of clients: true, false, or tcp-https (not of HTTP)', '', parseTlsRequired, {
    isBoolean: true,
    defaultValue: false,
  }),
  'tls-min-version': flag<TlsVersion | ''>('tls1.0, tls1.1, tls1.2 or tls1.3', 'value', parseTlsVersionOrNone, {
    defaultText: 'tls1.2',
    defaultValue: 'tls1.2',
  }),
  deflate: boolean('offer deflate', { defaultText: 'true', defaultValue: true }),
  'max-deflate-level': integer('highest deflate level of a client', {
    defaultText: '6',
    defaultValue: 6,
    ...to('deflateLevelMax'),
  }),
  snappy: boolean('offer snappy', { defaultText: 'true', defaultValue: true }),
  'enable-experiment': strings('experiment to enable (may be given several times)', { ...never, defaultValue: [] }),

  storage: string('rocksdb, memory, a package name, or the path of a module (./ first)', {
    defaultText: '"rocksdb"',
    defaultValue: 'rocksdb',
  }),
  durability: flag('what an OK promises: none, process or power', 'value', oneOf('none', 'process', 'power'), {
    pointer: '/storage/options/durability',
  }),
  'memory-limit': flag(
    'memory for messages and buffers before publishes are refused, such as 512MiB',
    'size',
    parseSizeBytes,
    { defaultText: 'half of the memory, at most 512MiB with rocksdb', ...to('memorySizeBytesMax') },
  ),
  'http-auth': boolean('HTTP clients must authenticate as V2 clients do; needs --auth-http-address', {
    defaultText: 'false',
  }),
  'http-debug': boolean('answer /debug: CPU profiles, heap snapshots', { defaultText: 'false' }),
  'max-connections': integer('V2 connections; one beyond them is closed at once; 0 is unlimited', {
    defaultText: '0',
  }),
  'log-format': flag('text or json', 'value', oneOf('text', 'json'), {
    defaultText: 'text',
    defaultValue: 'text',
  }),
} satisfies Record<string, NsqdFlag>
