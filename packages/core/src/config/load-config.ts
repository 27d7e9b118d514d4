import { hostname, totalmem } from 'node:os'
import type { Authenticator } from '../contracts/authenticator.js'
import type { Discovery } from '../contracts/discovery.js'
import type { QueueFactory } from '../contracts/queue.js'
import type { Durability, Storage } from '../contracts/storage.js'
import type { Telemetry } from '../contracts/telemetry.js'
import type { Transport } from '../contracts/transport.js'
import type { Plugin } from '../plugin.js'
import { AUTHENTICATOR, DISCOVERY, QUEUE, STORAGE, TELEMETRY, type Token, TRANSPORT } from '../tokens.js'
import type { ConfigSource, NodeSettings } from './config.js'
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
  readonly node: NodeSettings
  /** `null`: the configuration does not say; the storage's own default counts. */
  readonly durability: Durability | null
  readonly storage: LoadedPlugin<Storage>
  readonly transports: readonly LoadedPlugin<Transport>[]
  readonly discoveries: readonly LoadedPlugin<Discovery>[]
  readonly queue: LoadedPlugin<QueueFactory> | null
  readonly authenticator: LoadedPlugin<Authenticator> | null
  readonly telemetry: LoadedPlugin<Telemetry> | null
}

export interface LoadOptions {
  /** `file:` URLs of modules that plugin packages are looked up from after the configuration's folder. */
  readonly pluginsFrom?: readonly string[]
}

/**
 * Checks a configuration and loads the plugins that it names. Opens nothing.
 * @throws ConfigError with everything that is wrong, not only the first mistake
 */
export async function loadConfig(raw: RawConfig, options: LoadOptions = {}): Promise<LoadedConfig> {
  return new ConfigLoader(raw, [...(options.pluginsFrom ?? []), import.meta.url]).load()
}

class ConfigLoader {
  private readonly validator = new ConfigValidator()
  private readonly problems: ConfigProblem[] = []
  private readonly source: ConfigSource

  constructor(
    private readonly raw: RawConfig,
    private readonly fallbacks: readonly string[],
  ) {
    this.source = raw.source
  }

  async load(): Promise<LoadedConfig> {
    const checked = await this.validator.check(CONFIG_SCHEMA, this.raw.value, this.source, '')
    this.problems.push(...checked.problems)
    const sections = asObject(checked.value) ?? {}

    const storage = await this.loadSection(STORAGE, sections.storage, '/storage')
    const transports = await this.loadList(TRANSPORT, sections.transports, '/transports')
    const discoveries = await this.loadList(DISCOVERY, sections.discovery, '/discovery')
    const queue = await this.loadSection(QUEUE, sections.queue, '/queue')
    const authenticator = await this.loadSection(AUTHENTICATOR, sections.authenticator, '/authenticator')
    const telemetry = await this.loadSection(TELEMETRY, sections.telemetry, '/telemetry')

    const problems = this.allProblems()
    if (problems.length > 0 || storage === null) throw new ConfigError(problems)
    const node = completeNode(sections.node)
    const durability = durabilityOf(sections.storage) ?? durabilityOf(storage)
    return { source: this.source, node, durability, storage, transports, discoveries, queue, authenticator, telemetry }
  }

  /** Where a variable is not set, whatever else is wrong with that string follows from it. */
  private allProblems(): ConfigProblem[] {
    const known = new Set(this.raw.problems.map(({ pointer }) => pointer))
    return [...this.raw.problems, ...this.problems.filter(({ pointer }) => !known.has(pointer))]
  }

  private async loadList<T>(provides: Token<T>, section: unknown, pointer: string): Promise<LoadedPlugin<T>[]> {
    const loaded: LoadedPlugin<T>[] = []
    for (const [index, item] of (Array.isArray(section) ? section : []).entries()) {
      const plugin = await this.loadSection(provides, item, pointerTo(pointer, index))
      if (plugin !== null) loaded.push(plugin)
    }
    return loaded
  }

  /** `null` when the section is missing, or wrong: then a problem was noted. */
  private async loadSection<T>(provides: Token<T>, section: unknown, pointer: string): Promise<LoadedPlugin<T> | null> {
    const use = asObject(section)?.use
    if (typeof use !== 'string' || use === '') return null
    const usePointer = `${pointer}/use`
    const { source, fallbacks } = this
    const plugin = await loadPlugin<T>({ use, provides, pointer: usePointer, source, fallbacks })
    if ('code' in plugin) {
      this.problems.push(plugin)
      return null
    }
    const options = asObject(asObject(section)?.options ?? {})
    if (options === null) return null
    const schema = plugin.optionsSchema as JsonSchema
    try {
      const accepted = provides === STORAGE ? withoutUnknownDurability(options, schema) : options
      const checked = await this.validator.check(schema, accepted, source, `${pointer}/options`)
      this.problems.push(...checked.problems)
      return { plugin, options: checked.value, pointer }
    } catch (error) {
      const found = `${JSON.stringify(use)}, whose optionsSchema is no JSON schema: ${(error as Error).message}`
      const expected = 'a JSON schema of draft 2020-12'
      this.problems.push({ code: 'E_PLUGIN', file: source.label, pointer: usePointer, found, expected })
      return null
    }
  }
}

/** Core itself reads `durability`; a storage gets it only where its schema asks for it. */
function withoutUnknownDurability(options: Record<string, unknown>, schema: JsonSchema): Record<string, unknown> {
  if ('durability' in (asObject(schema.properties) ?? {})) return options
  const { durability: _, ...rest } = options
  return rest
}

function durabilityOf(section: unknown): Durability | null {
  return (asObject(asObject(section)?.options)?.durability as Durability | undefined) ?? null
}

/** Fills in what the schema cannot know: the host's name and its memory. */
function completeNode(node: unknown): NodeSettings {
  const host = hostname()
  const unknown = { broadcastAddress: host, hostname: host, memorySizeBytesMax: defaultMemorySizeBytes() }
  return { ...unknown, ...(node as NodeSettings) }
}

function defaultMemorySizeBytes(): number {
  const limit = process.constrainedMemory()
  const total = totalmem()
  return Math.floor((limit > 0 && limit < total ? limit : total) / 2)
}

function asObject(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null
}
