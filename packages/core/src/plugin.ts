import type { Clock, Random } from './contracts/clock.js'
import type { Logger } from './contracts/logger.js'
import type { Token } from './tokens.js'

/** The version of the plugin API that this core speaks. A plugin made for another one is refused at start-up. */
export const PLUGIN_API_VERSION = 1

/** What a plugin's factory is given besides its options. */
export interface PluginContext {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Absolute. Relative paths in options are meant relative to it. */
  readonly dataPath: string
  /** What messages may take of the node's memory, in bytes; null where the configuration does not say. */
  readonly memorySizeBytesMax: number | null
  /** Absolute: the folder of the configuration file. */
  readonly configPath: string
  /**
   * Registers `reload`, which is called whenever the node is told to read again what its options name (SIGHUP): files such
   * as certificates. What cannot be read leaves things as they are; a rejection is logged.
   */
  onReload(reload: () => void | Promise<void>): void
}

/**
 * The default export of a plugin module.
 * @typeParam T - the contract that it implements
 * @typeParam O - its options, as its JSON schema describes them
 */
export interface Plugin<T = unknown, O = unknown> {
  /** For people and logs, e.g. `storage-memory`. */
  readonly name: string
  readonly apiVersion: number
  /** The contract that it implements, e.g. {@link STORAGE}. */
  readonly provides: Token<T>
  /** JSON Schema (draft 2020-12) of `options`; `additionalProperties: false` is expected, so that misspelt keys are found. Defaults in it are applied. */
  readonly optionsSchema: object
  /** Makes one instance; must not open anything yet. Options are validated, with defaults filled in. */
  create(options: O, context: PluginContext): T
}

/** Gives a plugin its type and its API version. */
export function definePlugin<T, O>(plugin: Omit<Plugin<T, O>, 'apiVersion'>): Plugin<T, O> {
  return { ...plugin, apiVersion: PLUGIN_API_VERSION }
}
