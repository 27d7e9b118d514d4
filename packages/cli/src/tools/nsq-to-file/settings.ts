import { resolve } from 'node:path'
import type { ConsumerOptions } from '@spillway/client'
import type { LogLevel } from '@spillway/core'
import type { FlagValues } from '../../go-flags.js'
import { consumerBaseOf, MAX_IN_FLIGHT } from '../common/consumer-flags.js'
import { FatalError } from '../common/fatal-error.js'
import type { HttpTimeouts } from '../common/get-json.js'
import type { FileNameOptions } from './file-name.js'
import type { TO_FILE_FLAGS } from './flags.js'

export type ToFileValues = FlagValues<typeof TO_FILE_FLAGS>

export interface ToFileSettings {
  readonly topics: readonly string[]
  /** Null: all. */
  readonly topicPattern: RegExp | null
  readonly topicRefreshMs: number
  readonly lookupdAddresses: readonly string[]
  readonly http: HttpTimeouts
  /** But for the topic. */
  readonly consumer: Omit<ConsumerOptions, 'topic'>
  readonly maxInFlight: number
  readonly outputFolder: string
  readonly workFolder: string
  readonly fileName: FileNameOptions
  readonly gzipLevel: number | null
  readonly rotateSizeBytes: number
  readonly rotateIntervalMs: number
  readonly syncIntervalMs: number
  readonly skipsEmptyFiles: boolean
}

const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'fatal'] satisfies LogLevel[]

/** @throws FatalError */
export function logLevelOf(values: ToFileValues): LogLevel {
  const level = (values['log-level'] ?? 'info').toLowerCase()
  if (!LOG_LEVELS.includes(level)) throw new FatalError('--log-level is invalid')
  return level as LogLevel
}

/** What the flags mean, checked in NSQ's order and in its words. @throws FatalError */
export function settingsOf(values: ToFileValues): ToFileSettings {
  const channel = values.channel ?? 'nsq_to_file'
  if (channel === '') throw new FatalError('--channel is required')
  const connectTimeoutMs = positive(values, 'http-client-connect-timeout', 2_000)
  const requestTimeoutMs = positive(values, 'http-client-request-timeout', 5_000)
  const consumer = consumerBaseOf('nsq_to_file', values)
  const gzipLevel = values['gzip-level'] ?? 6
  if (gzipLevel < 1 || gzipLevel > 9) throw new FatalError(`invalid --gzip-level value (${gzipLevel}), should be 1-9`)
  const topics = [...new Set(values.topic ?? [])]
  const pattern = values['topic-pattern'] ?? ''
  const lookupdAddresses = values['lookupd-http-address'] ?? []
  if (topics.length === 0 && pattern === '') throw new FatalError('--topic or --topic-pattern required')
  if (topics.length === 0 && lookupdAddresses.length === 0) {
    throw new FatalError('--lookupd-http-address must be specified when no --topic specified')
  }
  return {
    topics,
    topicPattern: pattern === '' ? null : patternOf(pattern),
    topicRefreshMs: positive(values, 'topic-refresh', 60_000),
    lookupdAddresses,
    http: { connectTimeoutMs, requestTimeoutMs },
    consumer: { ...consumer, channel },
    maxInFlight: values['max-in-flight'] ?? MAX_IN_FLIGHT,
    syncIntervalMs: positive(values, 'sync-interval', 30_000),
    skipsEmptyFiles: values['skip-empty-files'] ?? false,
    ...filesOf(values, gzipLevel),
  }
}

function filesOf(values: ToFileValues, gzipLevel: number) {
  const isCompressed = values.gzip ?? false
  const outputFolder = resolve(values['output-dir'] || '/tmp')
  const workFolder = resolve(values['work-dir'] || outputFolder)
  const rotateSizeBytes = Math.max(0, values['rotate-size'] ?? 0)
  const rotateIntervalMs = Math.max(0, values['rotate-interval'] ?? 0)
  const fileName: FileNameOptions = {
    format: values['filename-format'] ?? '<TOPIC>.<HOST><REV>.<DATETIME>.log',
    datetimeFormat: values['datetime-format'] ?? '%Y-%m-%d_%H',
    hostIdentifier: values['host-identifier'] ?? '',
    isCompressed,
    needsRevision: isCompressed || rotateSizeBytes > 0 || rotateIntervalMs > 0 || workFolder !== outputFolder,
  }
  return {
    outputFolder,
    workFolder,
    fileName,
    gzipLevel: isCompressed ? gzipLevel : null,
    rotateSizeBytes,
    rotateIntervalMs,
  }
}

type DurationFlag = 'http-client-connect-timeout' | 'http-client-request-timeout' | 'topic-refresh' | 'sync-interval'

function positive(values: ToFileValues, name: DurationFlag, fallbackMs: number): number {
  const ms = values[name] ?? fallbackMs
  if (!(ms > 0)) throw new FatalError(`--${name} should be positive`)
  return ms
}

function patternOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern)
  } catch (error) {
    throw new FatalError(`--topic-pattern is no regular expression: ${(error as Error).message}`)
  }
}
