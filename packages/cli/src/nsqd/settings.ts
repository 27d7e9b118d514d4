import { BrokerError, type Logger, type LogLevel, type Setting } from '@spillway/core'
import type { LoadedConfig } from '@spillway/core/node'
import { configKeyOf, NSQD_FLAGS, type NsqdFlag } from './flags.js'
import type { NsqdValues } from './to-config.js'

const NS_PER_MS = 1e6
const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal']
const TLS_VERSION_FIRST = 769
const TLS_VERSIONS: readonly string[] = ['tls1.0', 'tls1.1', 'tls1.2', 'tls1.3']
/** They say what the process is told at its start, or nothing any more, and nsqd does not show them either. */
const HIDDEN: readonly string[] = ['version', 'config', 'verbose', 'worker-id']

/** What `/config` shows of an nsqd that was started with these flags, or their like in a configuration. */
export function settingsOf(values: NsqdValues, logger: Logger): Setting[] {
  const shown = Object.entries<NsqdFlag>(NSQD_FLAGS).filter(([name]) => !HIDDEN.includes(name))
  return shown.map(([name, flag]) => {
    const key = configKeyOf(name, flag)
    if (name === 'log-level') return logLevelSetting(key, logger)
    const value = (values as Record<string, unknown>)[name] ?? flag.defaultValue ?? zeroOf(flag)
    if (name === 'lookupd-tcp-address') return addressesSetting(key, value as readonly string[])
    return { name: key, get: () => shownAs(name, flag, value), set: null }
  })
}

/** The same for a configuration file of Spillway's own: what it says of the node. */
export function settingsOfConfig({ node }: LoadedConfig, logger: Logger): Setting[] {
  const values: Record<string, unknown> = {}
  for (const [name, { pointer }] of Object.entries<NsqdFlag>(NSQD_FLAGS)) {
    const key = /^\/node\/(\w+)$/.exec(pointer ?? '')?.[1]
    if (key !== undefined) values[name] = (node as unknown as Record<string, unknown>)[key]
  }
  values['data-path'] = node.dataPath
  values['e2e-processing-latency-percentile'] = node.e2eLatencyQuantiles.map(String)
  return settingsOf(values as NsqdValues, logger)
}

function zeroOf({ isBoolean, isRepeatable, valueName }: NsqdFlag): unknown {
  if (isRepeatable) return []
  if (isBoolean) return false
  return valueName === 'int' || valueName === 'duration' || valueName === 'size' ? 0 : ''
}

/** As nsqd's own options hold it. */
function shownAs(name: string, { valueName }: NsqdFlag, value: unknown): unknown {
  if (valueName === 'duration') return (value as number) * NS_PER_MS
  if (name === 'tls-required') return value === 'tcp-https' ? 1 : value ? 2 : 0
  if (name === 'tls-min-version') return TLS_VERSION_FIRST + TLS_VERSIONS.indexOf(value as string)
  if (name === 'e2e-processing-latency-percentile') return (value as string[]).map(Number)
  return value
}

function logLevelSetting(name: string, logger: Logger): Setting {
  return {
    name,
    get: () => LOG_LEVELS.indexOf(logger.level) + 1,
    set(text) {
      const level = LOG_LEVELS.find((each) => each === text.toLowerCase())
      if (level === undefined) throw new BrokerError('E_INVALID_OPTION', `log level ${text}`)
      logger.level = level
    },
  }
}

function addressesSetting(name: string, first: readonly string[]): Setting {
  let addresses: readonly string[] | null = first
  return {
    name,
    get: () => addresses,
    set(text) {
      addresses = addressesIn(text)
    },
  }
}

/** `null` is none, and is shown as it was given, as by nsqd; among addresses it is an empty one. */
function addressesIn(text: string): readonly string[] | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new BrokerError('E_INVALID_OPTION', 'not JSON', { cause })
  }
  if (value === null) return null
  const addresses = Array.isArray(value) ? value.map((each) => each ?? '') : null
  if (addresses?.every((each) => typeof each === 'string')) return addresses
  throw new BrokerError('E_INVALID_OPTION', 'expected a list of texts')
}
