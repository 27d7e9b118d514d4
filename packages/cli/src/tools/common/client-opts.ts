import { readFileSync } from 'node:fs'
import type { SecureVersion } from 'node:tls'
import type { ConnectionOptions, ConsumerOptions, TlsOptions } from '@spillway/client'
import type { GoFlag } from '../../go-flags.js'
import { parseGoBoolean, parseGoDurationMs } from '../../go-values.js'
import { FatalError } from './fatal-error.js'

/** The value of a `--consumer-opt` or `--producer-opt`, checked. */
export type OptValue = string | number | boolean

/** One `--consumer-opt` or `--producer-opt`. */
export interface ClientOpt {
  readonly name: string
  readonly value: OptValue
}

interface OptRule {
  /** @throws Error with what is wrong, in a few words */
  parse(value: string): OptValue
  /** Without a value it means true. */
  readonly isBoolean?: boolean
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const INT_MAX = 2 ** 31 - 1

const anyText: OptRule = { parse: (value) => value }
const trueOrFalse: OptRule = { parse: parseGoBoolean, isBoolean: true }

const oneOf = (...words: readonly string[]): OptRule => ({
  parse(value) {
    if (!words.includes(value)) throw new Error(`expected one of ${words.join(', ')}`)
    return value
  },
})

const integer = (min: number, max = INT_MAX): OptRule => ({
  parse(value) {
    if (!/^[+-]?\d+$/.test(value)) throw new Error('parse error')
    return inRange(Number(value), min, max, '')
  },
})

/** In milliseconds. */
const duration = (minMs: number, maxMs: number): OptRule => ({
  parse: (value) => inRange(parseGoDurationMs(value), minMs, maxMs, ' ms'),
})

const fraction: OptRule = {
  parse(value) {
    if (!/^\d*\.?\d+$/.test(value)) throw new Error('parse error')
    return inRange(Number(value), 0, 1, '')
  },
}

function inRange(value: number, min: number, max: number, unit: string): number {
  if (value < min || value > max) throw new Error(`must be from ${min} to ${max}${unit}`)
  return value
}

/** The names of go-nsq's options, with its ranges where Spillway's client is no narrower. */
const OPTS: Readonly<Record<string, OptRule>> = {
  dial_timeout: duration(1, HOUR_MS),
  read_timeout: duration(100, 5 * MINUTE_MS),
  write_timeout: duration(100, 5 * MINUTE_MS),
  local_addr: anyText,
  lookupd_poll_interval: duration(10, 5 * MINUTE_MS),
  lookupd_poll_jitter: fraction,
  lookupd_poll_timeout: duration(1, HOUR_MS),
  skip_lookupd_authorization: trueOrFalse,
  max_requeue_delay: duration(0, HOUR_MS),
  default_requeue_delay: duration(0, HOUR_MS),
  backoff_strategy: oneOf('exponential', 'full_jitter'),
  max_backoff_duration: duration(0, HOUR_MS),
  backoff_multiplier: duration(0, HOUR_MS),
  max_attempts: integer(0, 65_535),
  low_rdy_idle_timeout: duration(1_000, 5 * MINUTE_MS),
  low_rdy_timeout: duration(1_000, 5 * MINUTE_MS),
  rdy_redistribute_interval: duration(1, 5_000),
  client_id: anyText,
  hostname: anyText,
  user_agent: anyText,
  topology_region: anyText,
  topology_zone: anyText,
  heartbeat_interval: duration(1_000, HOUR_MS),
  sample_rate: integer(0, 99),
  tls_v1: trueOrFalse,
  tls_root_ca_file: anyText,
  tls_insecure_skip_verify: trueOrFalse,
  tls_cert: anyText,
  tls_key: anyText,
  tls_min_version: oneOf('ssl3.0', 'tls1.0', 'tls1.1', 'tls1.2', 'tls1.3'),
  deflate: trueOrFalse,
  deflate_level: integer(1, 9),
  snappy: trueOrFalse,
  output_buffer_size: integer(-1),
  output_buffer_timeout: duration(-1, HOUR_MS),
  max_in_flight: integer(0),
  msg_timeout: duration(0, 24 * HOUR_MS),
  max_msg_size: integer(0, 2 ** 29),
  auth_secret: anyText,
}

/**
 * What is accepted and changes nothing, and why; docs/tools.md says it too.
 * Of a producer's options those are without effect that only consumers have.
 */
export const OPTS_WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  read_timeout: 'a connection that is silent for two heartbeats is given up',
  write_timeout: 'a connection that is silent for two heartbeats is given up',
  max_in_flight: '--max-in-flight says it',
}

/** Every name that is accepted. */
export const OPT_NAMES: readonly string[] = Object.keys(OPTS)

/** `name,value`; names may be written with `-` for `_`; without a value it means true. @throws Error */
export function parseClientOpt(text: string): ClientOpt {
  const comma = text.indexOf(',')
  const name = (comma === -1 ? text : text.slice(0, comma)).replaceAll('-', '_')
  if (!Object.hasOwn(OPTS, name)) throw new Error(`invalid option ${name}`)
  const rule = OPTS[name]
  if (comma !== -1) return { name, value: rule.parse(text.slice(comma + 1)) }
  if (rule.isBoolean !== true) throw new Error(`${name} needs a value: ${name},VALUE`)
  return { name, value: true }
}

/** The flag `--consumer-opt` or `--producer-opt`. */
export function clientOptFlag(of: 'consumer' | 'producer'): GoFlag<ClientOpt[]> {
  return {
    usage: `option of the ${of}, as name,value; the names are go-nsq's (may be given several times)`,
    valueName: 'value',
    defaultText: '',
    isBoolean: false,
    isRepeatable: true,
    parse: (text) => [parseClientOpt(text)],
  }
}

/** The last value of each. */
class OptValues {
  readonly #values: ReadonlyMap<string, OptValue>

  constructor(opts: readonly ClientOpt[]) {
    this.#values = new Map(opts.map(({ name, value }) => [name, value]))
  }

  /** `{ [key]: convert(value) }` when the option was given; nothing otherwise, or when it converts to undefined. */
  to<T extends OptValue>(name: string, key: string, convert: (value: T) => unknown = (value) => value): object {
    const value = this.#values.get(name)
    const converted = value === undefined ? undefined : convert(value as T)
    return converted === undefined ? {} : { [key]: converted }
  }

  isTrue(name: string): boolean {
    return this.#values.get(name) === true
  }

  text(name: string): string {
    return String(this.#values.get(name) ?? '')
  }
}

const wholeMs = (ms: number): number => Math.max(1, Math.round(ms))
/** 0 is "as it comes" in go-nsq, which tells the node -1. */
const orNone = (count: number): number => (count <= 0 ? -1 : Math.round(count))
/** 0: the client's own. */
const unlessZero = (count: number): number | undefined => (count === 0 ? undefined : Math.round(count))
/** A frame is a message and at most that much around it. */
const FRAME_BYTES = 1024

/** What the options say of connections. @throws FatalError when a file cannot be read, or they contradict each other */
export function connectionOptionsOf(opts: readonly ClientOpt[], userAgent: string): ConnectionOptions {
  const values = new OptValues(opts)
  if (values.isTrue('deflate') && values.isTrue('snappy')) {
    throw new FatalError('use the options deflate or snappy, not both')
  }
  return {
    userAgent,
    ...values.to('user_agent', 'userAgent'),
    ...values.to('client_id', 'clientId'),
    ...values.to('hostname', 'hostname'),
    ...values.to('local_addr', 'localAddress', localHost),
    ...values.to('dial_timeout', 'connectTimeoutMs', wholeMs),
    ...values.to('heartbeat_interval', 'heartbeatIntervalMs', wholeMs),
    ...values.to('deflate_level', 'deflateLevel'),
    ...(values.isTrue('deflate') ? { compression: 'deflate' } : {}),
    ...(values.isTrue('snappy') ? { compression: 'snappy' } : {}),
    ...(values.isTrue('tls_v1') ? { tls: tlsOf(values) } : {}),
    ...values.to('output_buffer_size', 'outputBufferSizeBytes', orNone),
    ...values.to('output_buffer_timeout', 'outputBufferTimeoutMs', orNone),
    ...values.to('max_msg_size', 'frameSizeBytesMax', (size: number) => (size === 0 ? undefined : size + FRAME_BYTES)),
    ...values.to('auth_secret', 'authSecret'),
    ...values.to('topology_region', 'topologyRegion'),
    ...values.to('topology_zone', 'topologyZone'),
  }
}

/** What the options say of a consumer, its connections included. @throws FatalError */
export function consumerOptionsOf(opts: readonly ClientOpt[], userAgent: string): Partial<ConsumerOptions> {
  const values = new OptValues(opts)
  return {
    ...connectionOptionsOf(opts, userAgent),
    // go-nsq sends the secret to nsqlookupd too, unless it is told not to.
    lookupdAuthorization: !values.isTrue('skip_lookupd_authorization'),
    ...values.to('lookupd_poll_interval', 'lookupdPollIntervalMs', wholeMs),
    ...values.to('lookupd_poll_jitter', 'lookupdPollJitterPercent', (part: number) => Math.round(part * 100)),
    ...values.to('lookupd_poll_timeout', 'lookupdTimeoutMs', wholeMs),
    ...values.to('max_requeue_delay', 'requeueDelayMsMax', Math.round),
    ...values.to('default_requeue_delay', 'requeueDelayMs', Math.round),
    ...values.to('backoff_strategy', 'backoffJitter', (strategy: string) => strategy === 'full_jitter'),
    ...values.to('max_backoff_duration', 'backoffDelayMsMax', Math.round),
    ...values.to('backoff_multiplier', 'backoffDelayMs', wholeMs),
    ...values.to('max_attempts', 'maxAttempts'),
    ...values.to('low_rdy_idle_timeout', 'lowRdyIdleTimeoutMs', wholeMs),
    ...values.to('low_rdy_timeout', 'lowRdyTimeoutMs', wholeMs),
    ...values.to('rdy_redistribute_interval', 'rdyRedistributeIntervalMs', wholeMs),
    ...values.to('sample_rate', 'sampleRatePercent', unlessZero),
    // A node takes no less than a second of ours.
    ...values.to('msg_timeout', 'messageTimeoutMs', (ms: number) =>
      ms === 0 ? undefined : Math.max(1_000, wholeMs(ms)),
    ),
  }
}

/** go-nsq wants a port too; which one is used is for the system to say here. */
function localHost(address: string): string {
  return address.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
}

function tlsOf(values: OptValues): TlsOptions {
  const version = values.text('tls_min_version')
  return {
    ...fileOf(values, 'tls_root_ca_file', 'ca'),
    ...fileOf(values, 'tls_cert', 'cert'),
    ...fileOf(values, 'tls_key', 'key'),
    ...(values.isTrue('tls_insecure_skip_verify') ? { rejectUnauthorized: false } : {}),
    // Nothing speaks SSL 3 any more.
    ...(version.startsWith('tls') ? { minVersion: version.replace('tls', 'TLSv') as SecureVersion } : {}),
  }
}

function fileOf(values: OptValues, name: string, key: 'ca' | 'cert' | 'key'): TlsOptions {
  const path = values.text(name)
  if (path === '') return {}
  try {
    return { [key]: readFileSync(path) }
  } catch (error) {
    throw new FatalError(`the option ${name}: ${(error as Error).message}`)
  }
}
