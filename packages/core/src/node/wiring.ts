import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import type { DependencyContainer } from 'tsyringe'
import type { LoadedConfig, LoadedPlugin } from '../config/load-config.js'
import { ConfigError } from '../config/problem.js'
import type { Authenticator } from '../contracts/authenticator.js'
import type { Clock, Random } from '../contracts/clock.js'
import type { Discovery } from '../contracts/discovery.js'
import type { Logger } from '../contracts/logger.js'
import type { QueueFactory } from '../contracts/queue.js'
import type { Reporter } from '../contracts/reporter.js'
import type { Storage } from '../contracts/storage.js'
import type { Telemetry } from '../contracts/telemetry.js'
import type { Transport } from '../contracts/transport.js'
import { BrokerError } from '../errors.js'
import type { PluginContext } from '../plugin.js'
import {
  AUTHENTICATOR,
  CLOCK,
  DISCOVERY,
  LOGGER,
  QUEUE,
  REPORTER,
  STORAGE,
  TELEMETRY,
  type Token,
  TRANSPORT,
} from '../tokens.js'
import { missingOf } from './check-instance.js'
import { GuardedAuthenticator } from './guarded-authenticator.js'

// Both are CommonJS; to import them takes 27 ms, a tenth of what the whole start may take, and to require them 14 ms.
const require = createRequire(import.meta.url)
require('reflect-metadata')
const { container, instanceCachingFactory } = require('tsyringe') as typeof import('tsyringe')

/** What every plugin is given. */
export interface Surroundings {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** One instance of every plugin that a configuration names. */
export interface WiredPlugins {
  readonly storage: Storage
  readonly transports: readonly Transport[]
  readonly discoveries: readonly Discovery[]
  readonly queueFactory: QueueFactory | null
  readonly authenticator: Authenticator | null
  readonly telemetry: Telemetry | null
  readonly reporters: readonly Reporter[]
  /** What plugins want to be called for when the node is told to reload, with their names. */
  readonly reloads: readonly Reload[]
}

export interface Reload {
  readonly plugin: string
  run(): void | Promise<void>
}

/** What a plugin's context says besides what the plugin itself determines. */
type SharedContext = Omit<PluginContext, 'onReload'>

/**
 * Makes the plugins of one broker in a container of its own. This is the only place that knows tsyringe, and it is used
 * once: nothing is resolved after start-up.
 * @throws BrokerError `E_PLUGIN`, or the code that a plugin's factory threw
 */
export function wirePlugins(config: LoadedConfig, surroundings: Surroundings): WiredPlugins {
  const broker = container.createChildContainer()
  broker.register(CLOCK, { useValue: surroundings.clock })
  broker.register(LOGGER, { useValue: surroundings.logger })

  const reloads: Reload[] = []
  const context: SharedContext = {
    ...surroundings,
    dataPath: resolve(config.source.folder, config.node.dataPath),
    memorySizeBytesMax: config.node.memorySizeBytesMax,
    configPath: config.source.folder,
  }
  const { storage, queue, authenticator, telemetry } = config
  const optional: (LoadedPlugin<unknown> | null)[] = [queue, authenticator, telemetry]
  for (const loaded of [storage, ...optional, ...config.discoveries, ...config.transports, ...config.reporters]) {
    if (loaded === null) continue
    const onReload = (run: Reload['run']): void => {
      reloads.push({ plugin: loaded.plugin.name, run })
    }
    register<unknown>(broker, loaded, { ...context, onReload }, config.source.label)
  }
  return {
    storage: broker.resolve(STORAGE),
    queueFactory: resolveOptional(broker, QUEUE),
    authenticator: guarded(resolveOptional(broker, AUTHENTICATOR), surroundings.logger),
    telemetry: resolveOptional(broker, TELEMETRY),
    discoveries: resolveEach(broker, DISCOVERY),
    transports: resolveEach(broker, TRANSPORT),
    reporters: resolveEach(broker, REPORTER),
    reloads,
  }
}

function register<T>(broker: DependencyContainer, loaded: LoadedPlugin<T>, context: PluginContext, file: string): void {
  const { plugin, options, pointer } = loaded
  const logger = context.logger.child({ plugin: plugin.name })
  const refusal = (found: string, expected: string, cause?: unknown): ConfigError =>
    new ConfigError(
      [{ code: 'E_PLUGIN', file, pointer: `${pointer}/use`, found: `${plugin.name}, ${found}`, expected }],
      { cause },
    )
  const make = (): T => {
    try {
      return plugin.create(options, { ...context, logger })
    } catch (error) {
      if (error instanceof BrokerError) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw refusal(`which cannot be made: ${reason}`, 'a plugin that can be made', error)
    }
  }
  const create = (): T => {
    const instance = make()
    const missing = missingOf(instance, plugin.provides)
    if (missing === null) return instance
    throw refusal(`whose create() returns something without ${missing}`, 'all that its contract asks for')
  }
  broker.register<T>(plugin.provides, { useFactory: instanceCachingFactory(create) })
}

function guarded(authenticator: Authenticator | null, logger: Logger): Authenticator | null {
  return authenticator === null ? null : new GuardedAuthenticator(authenticator, logger)
}

function resolveOptional<T>(broker: DependencyContainer, contract: Token<T>): T | null {
  return broker.isRegistered(contract) ? broker.resolve<T>(contract) : null
}

function resolveEach<T>(broker: DependencyContainer, contract: Token<T>): T[] {
  return broker.isRegistered(contract) ? broker.resolveAll<T>(contract) : []
}
