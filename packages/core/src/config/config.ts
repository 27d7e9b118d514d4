import type { LogLevel } from '../contracts/logger.js'
import type { BrokerOptions } from '../contracts/options.js'
import type { Durability } from '../contracts/storage.js'

/** NSQ's version that clients and nsqadmin are told. */
export const NSQ_VERSION = '1.3.0'

/** One plugin, as the configuration names it. */
export interface PluginUse {
  /** A package name, or a path (`./`, `../` or `/` first) relative to the configuration file. */
  readonly use: string
  /** What the plugin's own schema allows. */
  readonly options?: Readonly<Record<string, unknown>>
}

/** Storage options besides the plugin's own: every storage takes a durability, and others for some topics. */
export interface StorageUse extends PluginUse {
  readonly options?: Readonly<Record<string, unknown>> & {
    readonly durability?: Durability
    readonly durabilityByTopic?: Readonly<Record<string, Durability>>
  }
}

/** The limits and timings of {@link BrokerOptions} that a configuration may set. */
export type NodeLimits = Omit<
  BrokerOptions,
  'version' | 'broadcastAddress' | 'hostname' | 'durability' | 'durabilityByTopic'
>

/** The `node` section with every default filled in. */
export interface NodeSettings extends NodeLimits {
  /** As written; relative to the configuration file. */
  readonly dataPath: string
  readonly broadcastAddress: string
  readonly hostname: string
  readonly logLevel: LogLevel
  /** How long a stop waits for accepted commands to be answered. */
  readonly drainTimeoutMs: number
}

/** A configuration file, as written. Schema: `config/spillway.schema.json`. */
export interface SpillwayConfig {
  readonly $schema?: string
  readonly node?: Partial<NodeSettings>
  readonly storage: StorageUse
  readonly transports: readonly PluginUse[]
  readonly discovery?: readonly PluginUse[]
  readonly queue?: PluginUse
  readonly authenticator?: PluginUse
  readonly telemetry?: PluginUse
  readonly reporters?: readonly PluginUse[]
}

/** Where a configuration came from: for messages, and to resolve relative paths. */
export interface ConfigSource {
  /** The file's path as the user gave it, or a description such as `nsqd flags`. */
  readonly label: string
  /** Absolute: relative paths are meant relative to this folder. */
  readonly folder: string
  /** Strings that came out of `${NAME}`, by JSON pointer: as they stand in the file. Their values are never printed. */
  readonly substituted: ReadonlyMap<string, string>
}
