import { hostname } from 'node:os'
import type { Authenticator } from '../contracts/authenticator.js'
import type { Discovery } from '../contracts/discovery.js'
import type { QueueFactory } from '../contracts/queue.js'
import type { Reporter } from '../contracts/reporter.js'
import type { Durability, Storage } from '../contracts/storage.js'
import type { Telemetry } from '../contracts/telemetry.js'
import type { Transport } from '../contracts/transport.js'
import type { Plugin } from '../plugin.js'
import { AUTHENTICATOR, DISCOVERY, QUEUE, REPORTER, STORAGE, TELEMETRY, type Token, TRANSPORT } from '../tokens.js'
import type { ConfigSource, NodeSettings, StorageUse } from './config.js'
import { contradictingLimits, impossibleAddresses, impossibleRequirements } from './contradictions.js'
import { loadPlugin } from './load-plugin.js'
import { ConfigError, type ConfigProblem, pointerTo } from './problem.js'
import type { RawConfig } from './read-config-file.js'
import { CONFIG_SCHEMA, type JsonSchema } from './schema.js'
import { ConfigValidator } from './validator.js'

/** A plugin that was found, with options that its schema allows. Nothing was made of it yet. */
export interface LoadedPlugin<T> {
  readonly plugin: Plugin<T>
  /** With defaults filled in. */
  readonly options: unknown
  /** Where it stands in the configuration. */
  readonly pointer: string
}

/** A configuration that was checked throughout: every plugin found, every option allowed. */
export interface LoadedConfig {
  readonly source: ConfigSource
  /** `memorySizeBytesMax` is null where the configuration does not say: what is sensible depends on the storage. */
  readonly node: Omit<NodeSettings, 'memorySizeBytesMax'> & { readonly memorySizeBytesMax: number | null }
  /** `null`: the configuration does not say; the storage's own default counts. */
  readonly durability: Durability | null
  /** Other durabilities, by topic or by the beginning of its name with `*` behind it. */
  readonly durabilityByTopic: Readonly<Record<string, Durability>>
  readonly storage: LoadedPlugin<Storage>
  readonly transports: readonly LoadedPlugin<Transport>[]
  readonly discoveries: readonly LoadedPlugin<Discovery>[]
  readonly queue: LoadedPlugin<QueueFactory> | null
  readonly authenticator: LoadedPlugin<Authenticator> | null
  readonly telemetry: LoadedPlugin<Telemetry> | null
  readonly reporters: readonly LoadedPlugin<Reporter>[]
}

export interface LoadOptions {
  /** `file:` URLs of modules that plugin packages are looked up from after the configuration's folder. */
  readonly pluginsFrom?: readonly string[]
  /** Leaves {@link contradictingLimits} to the caller. */
  readonly allowsContradictingLimits?: boolean
}

/**
 * Checks a configuration and loads the plugins that it names. Opens nothing.
 * @throws ConfigError with everything that is wrong, not only the first mistake
 */
export async function loadConfig(raw: RawConfig, options: LoadOptions = {}): Promise<LoadedConfig> {
  let onIdle = (): void => {}
  const idle = new Promise<void>((resolve) => {
    onIdle = resolve
  })
  process.once('beforeExit', onIdle)
  try {
    return await new ConfigLoader(raw, [...(options.pluginsFrom ?? []), import.meta.url], idle).load(options)
  } finally {
    process.off('beforeExit', onIdle)
  }
}

/** One section: the plugin that it names, or `null` and why not; `null` and nothing where there is no such section. */
interface Section<T> {
  readonly loaded: LoadedPlugin<T> | null
  readonly problems: readonly ConfigProblem[]
}

class ConfigLoader {
  private readonly validator = new ConfigValidator()
  private readonly source: ConfigSource

  constructor(
    private readonly raw: RawConfig,
    private readonly fallbacks: readonly string[],
    private readonly idle: Promise<void>,
  ) {
    this.source = raw.source
  }

  async load({ allowsContradictingLimits = false }: LoadOptions): Promise<LoadedConfig> {
    const checked = await this.validator.check(CONFIG_SCHEMA, this.raw.value, this.source, '')
    const sections = asObject(checked.value) ?? {}
    // All at once: most of the time goes into waiting for files.
    const [storage, transports, discoveries, queue, authenticator, telemetry, reporters] = await Promise.all([
      this.loadSection(STORAGE, sections.storage, '/storage'),
      this.loadList(TRANSPORT, sections.transports, '/transports'),
      this.loadList(DISCOVERY, sections.discovery, '/discovery'),
      this.loadSection(QUEUE, sections.queue, '/queue'),
      this.loadSection(AUTHENTICATOR, sections.authenticator, '/authenticator'),
      this.loadSection(TELEMETRY, sections.telemetry, '/telemetry'),
      this.loadList(REPORTER, sections.reporters, '/reporters'),
    ])
    const inPlugins = [storage, ...transports, ...discoveries, queue, authenticator, telemetry, ...reporters]
    const problems = this.withoutConsequences([
      ...checked.problems,
      ...inPlugins.flatMap((section) => section.problems),
      ...(allowsContradictingLimits ? [] : contradictingLimits(asObject(sections.node) ?? {}, this.source)),
      ...impossibleAddresses(loadedOf(transports), this.source),
      ...impossibleRequirements(loadedOf(transports), this.source),
    ])
    if (problems.length > 0 || storage.loaded === null) throw new ConfigError(problems)
    return {
      source: this.source,
      node: completeNode(sections.node),
      durability: durabilityOf(sections.storage) ?? durabilityOf(storage.loaded),
      durabilityByTopic: storageOptions(sections.storage).durabilityByTopic ?? {},
      storage: storage.loaded,
      transports: loadedOf(transports),
      discoveries: loadedOf(discoveries),
      queue: queue.loaded,
      authenticator: authenticator.loaded,
      telemetry: telemetry.loaded,
      reporters: loadedOf(reporters),
    }
  }

  /** Where a variable is not set, whatever else is wrong with that string follows from it. */
  private withoutConsequences(problems: readonly ConfigProblem[]): ConfigProblem[] {
    const known = new Set(this.raw.problems.map(({ pointer }) => pointer))
    return [...this.raw.problems, ...problems.filter(({ pointer }) => !known.has(pointer))]
  }

  private loadList<T>(provides: Token<T>, section: unknown, pointer: string): Promise<Section<T>[]> {
    const items = Array.isArray(section) ? section : []
    return Promise.all(items.map((item, index) => this.loadSection(provides, item, pointerTo(pointer, index))))
  }

  private async loadSection<T>(provides: Token<T>, section: unknown, pointer: string): Promise<Section<T>> {
    const use = asObject(section)?.use
    const options = asObject(asObject(section)?.options ?? {})
    // What is wrong with the section's form was found when the whole was checked.
    if (typeof use !== 'string' || use === '') return { loaded: null, problems: [] }
    const { source, fallbacks, idle } = this
    const plugin = await loadPlugin<T>({ use, provides, pointer: `${pointer}/use`, source, fallbacks, idle })
    if ('code' in plugin) return { loaded: null, problems: [plugin] }
    if (options === null) return { loaded: null, problems: [] }
    const schema = plugin.optionsSchema as JsonSchema
    try {
      const accepted = provides === STORAGE ? withoutUnknownDurabilities(options, schema) : options
      const { value, problems } = await this.validator.check(schema, accepted, source, `${pointer}/options`)
      return { loaded: { plugin, options: value, pointer }, problems }
    } catch (error) {
      const found = `${JSON.stringify(use)}, whose optionsSchema is no JSON schema: ${(error as Error).message}`
      const expected = 'a JSON schema of draft 2020-12'
      const file = source.label
      return { loaded: null, problems: [{ code: 'E_PLUGIN', file, pointer: `${pointer}/use`, found, expected }] }
    }
  }
}

function loadedOf<T>(sections: readonly Section<T>[]): LoadedPlugin<T>[] {
  return sections.flatMap(({ loaded }) => (loaded === null ? [] : [loaded]))
}

/** Core itself reads these options; a storage gets them only where its schema asks for them. */
const CORE_OPTIONS: readonly string[] = ['durability', 'durabilityByTopic']

function withoutUnknownDurabilities(options: Record<string, unknown>, schema: JsonSchema): Record<string, unknown> {
  const asked = asObject(schema.properties) ?? {}
  return Object.fromEntries(Object.entries(options).filter(([key]) => key in asked || !CORE_OPTIONS.includes(key)))
}

/** What core itself reads of a storage's options; they were checked with core's schema. */
function storageOptions(section: unknown): NonNullable<StorageUse['options']> {
  return (asObject(asObject(section)?.options) ?? {}) as NonNullable<StorageUse['options']>
}

function durabilityOf(section: unknown): Durability | null {
  return storageOptions(section).durability ?? null
}

/** Does what the schema cannot: fills in the host's name, puts quantiles into order. */
function completeNode(node: unknown): LoadedConfig['node'] {
  const host = hostname()
  const unknown = { broadcastAddress: host, hostname: host, memorySizeBytesMax: null }
  const settings = node as NodeSettings
  const e2eLatencyQuantiles = [...settings.e2eLatencyQuantiles].sort((a, b) => b - a)
  return { ...unknown, ...settings, e2eLatencyQuantiles }
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}
