import type { LogLevel } from '@spillway/core'
import type { ConfigFlag } from '../config-flag.js'
import type { FlagValues } from '../go-flags.js'
import { parseGoBoolean, parseGoDurationMs } from '../go-values.js'

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal']

function flag<T>(usage: string, valueName: string, parse: (text: string) => T, defaultText = ''): ConfigFlag<T> {
  return { usage, valueName, parse, defaultText, isBoolean: valueName === '', isRepeatable: false }
}

const string = (usage: string, defaultText?: string) => flag(usage, 'string', (text) => text, defaultText)
const boolean = (usage: string) => flag(usage, '', parseGoBoolean)
const duration = (usage: string, defaultText: string) => flag(usage, 'duration', parseSpanMs, defaultText)

function parseSpanMs(text: string): number {
  const spanMs = parseGoDurationMs(text)
  if (spanMs < 0) throw new Error('expected a duration of 0 or more, such as 45s')
  return spanMs
}

function parseLogLevel(text: string): LogLevel {
  const level = text.toLowerCase() as LogLevel
  if (!LOG_LEVELS.includes(level)) throw new Error(`expected one of ${LOG_LEVELS.join(', ')}`)
  return level
}

function parseLogFormat(text: string): 'text' | 'json' {
  if (text !== 'text' && text !== 'json') throw new Error('expected one of text, json')
  return text
}

/** Every flag of nsqlookupd 1.3, then our own. */
export const NSQLOOKUPD_FLAGS = {
  version: boolean('print version string'),
  config: string('path to a TOML config file'),
  'log-level': flag<LogLevel>(LOG_LEVELS.join(', '), 'value', parseLogLevel, 'info'),
  'log-prefix': string('stands before every log line', '"[nsqlookupd] "'),
  verbose: boolean('deprecated [no effect]'),
  'tcp-address': string('<addr>:<port> where nsqds register', '"0.0.0.0:4160"'),
  'http-address': string('<addr>:<port> where consumers, nsqds and nsqadmin ask', '"0.0.0.0:4161"'),
  'broadcast-address': string('address at which nsqds ask this nsqlookupd', 'the host name'),
  'inactive-producer-timeout': duration('an nsqd that has not pinged for longer is not shown', '5m'),
  'tombstone-lifetime': duration('how long a tombstone hides an nsqd from the consumers of a topic', '45s'),
  'data-path': string('folder where topics and channels are kept over a restart; without it they are not'),
  'log-format': flag<'text' | 'json'>('text or json', 'value', parseLogFormat, 'text'),
} as const satisfies Record<string, ConfigFlag>

export type NsqlookupdValues = FlagValues<typeof NSQLOOKUPD_FLAGS>
