import { type Broker, BrokerError, type ListenAddress, type Logger, type LogLevel, type Setting } from '@spillway/core'
import type { LoadedConfig } from '@spillway/core/node'
import { configKeyOf } from '../config-flag.js'
import { NSQD_FLAGS, type NsqdFlag } from './flags.js'
import { TLS_VERSIONS, type TlsRequirement, type TlsVersion, tlsRequirementOf } from './tls-flags.js'
import type { NsqdValues } from './to-config.js'

const NS_PER_MS = 1e6
const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal']
const TLS_VERSION_FIRST = 769
const TLS_REQUIREMENTS: readonly TlsRequirement[] = ['none', 'tcp', 'everywhere']
/** They are not options of the node, and nsqd does not show them either. */
const HIDDEN: readonly string[] = ['version', 'config', 'verbose', 'worker-id']
/** They have settings of their own. */
const OF_PLUGINS: readonly string[] = ['lookupd-tcp-address']
const PERCENTILES = 'e2e-processing-latency-percentile'

/** What is known of a node only once it was made, or listens. */
export type RunningNode = Pick<Broker, 'options' | 'addresses'>

/** What `/config` shows of an nsqd that was started with these flags, besides what its plugins have for it. */
export function settingsOf(values: NsqdValues, logger: Logger, node: () => RunningNode): Setting[] {
  const shown = Object.entries<NsqdFlag>(NSQD_FLAGS).filter(
    ([name]) => !HIDDEN.includes(name) && !OF_PLUGINS.includes(name),
  )
  return shown.map(([name, flag]) => {
    const key = configKeyOf(name, flag)
    if (name === 'log-level') return logLevelSetting(key, logger)
    if (isOfNode(name, flag)) return { name: key, get: () => valueInNode(name, flag, node()), set: null }
    return { name: key, get: () => givenValue(name, flag, values), set: null }
  })
}

/** The same for a configuration file of Spillway's own: what nsqd has, too, and is not a matter of a plugin. */
export function settingsOfConfig(config: LoadedConfig, logger: Logger, node: () => RunningNode): Setting[] {
  const { dataPath } = config.node
  const ofNode = Object.entries<NsqdFlag>(NSQD_FLAGS).filter(([name, flag]) => isOfNode(name, flag))
  return [
    logLevelSetting('log_level', logger),
    { name: 'data_path', get: () => dataPath, set: null },
    ...ofNode.map(([name, flag]) => ({
      name: configKeyOf(name, flag),
      get: () => valueInNode(name, flag, node()),
      set: null,
    })),
  ]
}

/** Whether the node's own options say it: they are right whatever was given, and where nothing was. */
function isOfNode(name: string, { pointer }: NsqdFlag): boolean {
  return name === PERCENTILES || (pointer !== undefined && name !== 'log-level')
}

function valueInNode(name: string, { pointer, valueName }: NsqdFlag, { options, addresses }: RunningNode): unknown {
  if (name === PERCENTILES) return options.e2eLatencyQuantiles.toSorted((a, b) => b - a)
  if (name === 'broadcast-tcp-port') return options.broadcastTcpPort || portOf('tcp', addresses)
  if (name === 'broadcast-http-port') return options.broadcastHttpPort || portOf('http', addresses)
  const key = (pointer as string).slice((pointer as string).lastIndexOf('/') + 1)
  return inUnitsOfNsqd(valueName, (options as unknown as Record<string, unknown>)[key])
}

/** 0 where nobody listens, or on a Unix socket. */
function portOf(protocol: ListenAddress['protocol'], addresses: readonly ListenAddress[]): number {
  return Math.max(0, addresses.find((address) => address.protocol === protocol)?.port ?? 0)
}

function givenValue(name: string, flag: NsqdFlag, values: NsqdValues): unknown {
  if (name === 'tls-required') return TLS_REQUIREMENTS.indexOf(tlsRequirementOf(values))
  const given = (values as Record<string, unknown>)[name]
  // Nothing as the oldest TLS is the default as well.
  const value = given === undefined || (name === 'tls-min-version' && given === '') ? defaultOf(flag) : given
  if (name === 'tls-min-version') return TLS_VERSION_FIRST + TLS_VERSIONS.indexOf(value as TlsVersion)
  return inUnitsOfNsqd(flag.valueName, value)
}

function inUnitsOfNsqd(valueName: string, value: unknown): unknown {
  return valueName === 'duration' ? (value as number) * NS_PER_MS : value
}

function defaultOf({ defaultValue, isBoolean, isRepeatable, valueName }: NsqdFlag): unknown {
  if (defaultValue !== undefined) return defaultValue
  if (isRepeatable) return []
  if (isBoolean) return false
  return valueName === 'int' || valueName === 'duration' || valueName === 'size' ? 0 : ''
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
