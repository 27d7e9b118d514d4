import { resolve } from 'node:path'
import { NSQ_VERSION } from '../config/config.js'
import type { LoadedConfig } from '../config/load-config.js'
import { ConfigError, pointerTo } from '../config/problem.js'
import type { Broker } from '../contracts/broker.js'
import type { Clock, Random } from '../contracts/clock.js'
import type { NodeAddress } from '../contracts/discovery.js'
import type { LogFields, Logger } from '../contracts/logger.js'
import type { BrokerOptions } from '../contracts/options.js'
import type { Setting } from '../contracts/setting.js'
import type { Durability, Storage } from '../contracts/storage.js'
import type { ListenAddress } from '../contracts/transport.js'
import { Engine, type EngineParts, engineMemoryBytes } from '../engine/engine.js'
import { spillwayVersion } from '../version.js'
import { defaultMemorySizeBytes } from './memory-size.js'
import { SystemClock } from './system-clock.js'
import { type WiredPlugins, wirePlugins } from './wiring.js'

/** The engine, as the node that owns it sees it. */
export type NodeEngine = Broker & Pick<Engine, 'open' | 'listening' | 'announce' | 'close'>

export interface SpillwayNodeOptions {
  readonly logger: Logger
  /** The process's own clock without it. */
  readonly clock?: Clock
  /** `Math.random` without it. */
  readonly random?: Random
  /** What `/config` shows besides what plugins have for it. */
  readonly settings?: readonly Setting[]
  /** How many brokers share the memory of this machine: where the configuration does not say, each takes its part. 1 without it. */
  readonly nodesOnMachine?: number
  /** Makes the engine; for tests. */
  readonly createEngine?: (parts: EngineParts) => NodeEngine
}

/**
 * One broker: plugins, engine and listeners, put together as a configuration says. Making one opens nothing, so it also
 * proves that a configuration can be started. `start`, then `stop`, each once.
 */
export class SpillwayNode {
  /** The engine, for programs that embed a broker. */
  readonly broker: Broker
  private readonly engine: NodeEngine
  private readonly plugins: WiredPlugins
  private readonly logger: Logger
  private readonly drainTimeoutMs: number
  /** What one line of the log says at the start. */
  private readonly summary: LogFields
  private readonly largestBodyWarning: string | null
  private hasStarted = false
  private stopping: Promise<void> | null = null

  /** @throws BrokerError `E_PLUGIN`, `E_CONFIG`, or what a plugin's factory threw */
  constructor(config: LoadedConfig, options: SpillwayNodeOptions) {
    const { logger, clock = new SystemClock(), random = Math.random, settings = [], nodesOnMachine = 1 } = options
    const { transports, ...parts } = wirePlugins(config, { clock, random, logger })
    this.logger = logger
    this.plugins = { transports, ...parts }
    this.drainTimeoutMs = config.node.drainTimeoutMs
    const brokerOptions = brokerOptionsOf(config, parts.storage, nodesOnMachine)
    requireOffered(config, parts.storage)
    this.summary = summaryOf(config, brokerOptions)
    this.largestBodyWarning = largestBodyWarningOf(brokerOptions, parts.storage)
    const allSettings = firstOfEachName([...settings, ...parts.discoveries.flatMap((discovery) => discovery.settings)])
    const engineParts = { ...parts, clock, random, logger, settings: allSettings, options: brokerOptions }
    this.engine = options.createEngine?.(engineParts) ?? new Engine(engineParts)
    this.broker = this.engine
  }

  /** Where clients can reach it; complete once it has started. */
  get addresses(): readonly ListenAddress[] {
    return this.plugins.transports.flatMap((transport) => transport.addresses)
  }

  /**
   * Storage and engine, transports in the order in which they are configured, then discovery. What had been opened is closed again when one fails.
   * @throws BrokerError of the storage, or `E_LISTEN`
   */
  async start(): Promise<void> {
    try {
      await this.engine.open()
      // Whoever cannot open it has one line, which names the path and what is wrong there.
      this.logger.info(`Spillway v${spillwayVersion()}`, this.summary)
      if (this.largestBodyWarning !== null) this.logger.warn(this.largestBodyWarning)
      for (const transport of this.plugins.transports) {
        await transport.start(this.engine)
        for (const address of transport.addresses) this.logger.info(describeListener(address))
      }
      this.engine.listening(this.addresses)
      const address = this.describeForDiscovery()
      for (const discovery of this.plugins.discoveries) discovery.start(address)
      this.engine.announce()
      for (const reporter of this.plugins.reporters) reporter.start(this.engine)
      this.hasStarted = true
    } catch (error) {
      await this.stop().catch(() => {}) // the first error is the one to tell
      throw error
    }
  }

  /**
   * Listeners, clients, topics, storage, in this order; each step is taken although one before it failed. Idempotent.
   * @throws the first error of a step
   */
  stop(): Promise<void> {
    this.stopping ??= this.stopInOrder()
    return this.stopping
  }

  /** Has every plugin read again what its options name. One that cannot is logged, and goes on with what it has. */
  async reload(): Promise<void> {
    for (const { plugin, run } of this.plugins.reloads) {
      try {
        await run()
      } catch (error) {
        this.logger.error('reload failed', { plugin, error: error instanceof Error ? error.message : String(error) })
      }
    }
  }

  private describeForDiscovery(): NodeAddress {
    const { broadcastAddress, broadcastTcpPort, broadcastHttpPort, hostname, version } = this.broker.options
    const { topologyRegion, topologyZone } = this.broker.options
    const portOf = (protocol: ListenAddress['protocol']): number =>
      Math.max(0, this.addresses.find((address) => address.protocol === protocol)?.port ?? 0)
    return {
      broadcastAddress,
      hostname,
      version,
      tcpPort: broadcastTcpPort || portOf('tcp'),
      httpPort: broadcastHttpPort || portOf('http'),
      topologyRegion,
      topologyZone,
    }
  }

  private async stopInOrder(): Promise<void> {
    const { transports, discoveries, authenticator, telemetry, reporters } = this.plugins
    const failures: unknown[] = []
    const step = async (name: string, calls: readonly (Promise<void> | undefined)[]): Promise<void> => {
      for (const result of await Promise.allSettled(calls)) {
        if (result.status === 'fulfilled') continue
        failures.push(result.reason)
        this.logger.error(`stopping: ${name} failed: ${result.reason}`)
      }
    }
    // Clients are sent elsewhere while those who are here are still answered.
    const drained = this.hasStarted ? transports : []
    await step('listeners', [
      ...discoveries.map((discovery) => discovery.stop()),
      ...reporters.map((reporter) => reporter.stop()),
      ...drained.map((transport) => transport.drain(this.drainTimeoutMs)),
    ])
    await step(
      'clients',
      transports.map((transport) => transport.stop()),
    )
    await step('topics and storage', [this.engine.close()])
    await step('authenticator and telemetry', [authenticator?.close(), telemetry?.close()])
    if (failures.length > 0) throw failures[0]
  }
}

function firstOfEachName(settings: readonly Setting[]): Setting[] {
  return settings.filter(({ name }, at) => settings.findIndex((setting) => setting.name === name) === at)
}

/** As nsqd says it: `TCP: listening on 127.0.0.1:4150`. */
function describeListener({ protocol, address, port }: ListenAddress): string {
  const host = address.includes(':') && port >= 0 ? `[${address}]` : address
  return `${protocol.toUpperCase()}: listening on ${port < 0 ? address : `${host}:${port}`}`
}

function summaryOf({ node, storage, source }: LoadedConfig, options: BrokerOptions): LogFields {
  const { durability, durabilityByTopic, memorySizeBytesMax } = options
  const dataPath = resolve(source.folder, node.dataPath)
  const byTopic = Object.keys(durabilityByTopic).length === 0 ? {} : { durabilityByTopic }
  return { dataPath, storage: storage.plugin.name, durability, ...byTopic, memorySizeBytesMax }
}

/** A body lies in memory twice for a moment: as it was received, and as it is stored. */
function largestBodyWarningOf(options: BrokerOptions, storage: Storage): string | null {
  const { memorySizeBytesMax, bodySizeBytesMax, msgSizeBytesMax } = options
  const largestBytes = Math.max(bodySizeBytesMax, msgSizeBytesMax)
  const roomBytes = engineMemoryBytes({ options, storage })
  if (roomBytes >= 2 * largestBytes) return null
  return (
    `the largest bodies will be refused: of node.memorySizeBytesMax (${memorySizeBytesMax}) ${roomBytes} bytes are for ` +
    `messages, and a body of ${largestBytes} bytes takes twice its size for a moment`
  )
}

function brokerOptionsOf(config: LoadedConfig, storage: Storage, nodesOnMachine: number): BrokerOptions {
  const { dataPath: _path, logLevel: _level, drainTimeoutMs: _drain, ...options } = config.node
  const memorySizeBytesMax =
    options.memorySizeBytesMax ?? defaultMemorySizeBytes(storage.capabilities, options.bodySizeBytesMax, nodesOnMachine)
  const { durabilityByTopic } = config
  const durability = chooseDurability(config, storage)
  return { version: NSQ_VERSION, ...options, memorySizeBytesMax, durability, durabilityByTopic }
}

function chooseDurability({ durability }: LoadedConfig, storage: Storage): Durability {
  const { durabilities } = storage.capabilities
  return durability ?? (durabilities.includes('process') ? 'process' : (durabilities[0] as Durability))
}

/** @throws ConfigError for every durability that the storage does not offer */
function requireOffered(
  { durability, durabilityByTopic, source, storage: { pointer } }: LoadedConfig,
  storage: Storage,
): void {
  const { durabilities } = storage.capabilities
  const options = `${pointer}/options`
  const asked: [string, Durability][] = durability === null ? [] : [[`${options}/durability`, durability]]
  for (const [topic, each] of Object.entries(durabilityByTopic)) {
    asked.push([pointerTo(`${options}/durabilityByTopic`, topic), each])
  }
  const expected = `one of ${durabilities.map((name) => JSON.stringify(name)).join(', ')}, which this storage offers`
  const problems = asked
    .filter(([, each]) => !durabilities.includes(each))
    .map(([place, each]) => ({
      code: 'E_CONFIG' as const,
      file: source.label,
      pointer: place,
      found: JSON.stringify(each),
      expected,
    }))
  if (problems.length > 0) throw new ConfigError(problems)
}
