import { dirname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { PLUGIN_API_VERSION, type Plugin } from '../plugin.js'
import type { Token } from '../tokens.js'
import type { ConfigSource } from './config.js'
import { nearest } from './nearest.js'
import type { ConfigProblem } from './problem.js'
import { isModulePath, resolveModule } from './resolve-module.js'

/** Names that people may have meant when a package is not found. */
const OWN_PLUGINS = [
  '@spillway/storage-rocksdb',
  '@spillway/storage-memory',
  '@spillway/transport-tcp',
  '@spillway/transport-http',
  '@spillway/discovery-nsqlookupd',
  '@spillway/discovery-static',
  '@spillway/auth-nsq',
  '@spillway/auth-static',
  '@spillway/reporter-statsd',
]

/** Names that people may have read of, and that are not there yet. */
const LATER_PLUGINS = ['@spillway/transport-ws', '@spillway/telemetry-otel']

export interface PluginRequest<T> {
  readonly use: string
  /** The contract that is wanted here. */
  readonly provides: Token<T>
  /** Where `use` stands. */
  readonly pointer: string
  readonly source: ConfigSource
  /** `file:` URLs of modules that packages are looked up from after the configuration's folder. */
  readonly fallbacks: readonly string[]
  /** Settles when the process has nothing left to do: a module that is still loading then waits for something that never comes. */
  readonly idle: Promise<void>
}

/** Finds a plugin's module and checks its manifest. */
export async function loadPlugin<T>(request: PluginRequest<T>): Promise<Plugin<T> | ConfigProblem> {
  const { use, provides, pointer, source } = request
  const problem = (found: string, expected: string, close?: string): ConfigProblem => ({
    code: 'E_PLUGIN',
    file: source.label,
    pointer,
    found,
    expected,
    ...(close === undefined ? {} : { nearest: close }),
  })

  const path = findModule(request)
  if (path === null) {
    const isLater = LATER_PLUGINS.includes(use)
    const where = isLater ? 'which is not in this version' : `which is not to be found from ${source.folder}`
    const found = `${JSON.stringify(use)}, ${where}`
    if (isModulePath(use)) return problem(found, 'the path of a module')
    const installed = OWN_PLUGINS.filter((name) => name !== use && findModule({ ...request, use: name }) !== null)
    const close = isLater ? undefined : nearest(use, installed)
    return problem(found, 'an installed package, or a path that begins with ./', close)
  }

  let exported: unknown
  try {
    const module = await Promise.race([import(pathToFileURL(path).href), request.idle.then(() => null)])
    if (module === null) {
      const found = `${JSON.stringify(use)}, which never finishes loading`
      return problem(found, 'a module whose top-level await ends')
    }
    exported = defaultExport(module)
  } catch (error) {
    return problem(`${JSON.stringify(use)}, which fails to load: ${firstLine(error)}`, 'a module that loads')
  }
  const mistake = checkManifest(exported, provides)
  return mistake === null
    ? (exported as Plugin<T>)
    : problem(`${JSON.stringify(use)}, ${mistake.found}`, mistake.expected)
}

function findModule({ use, source, fallbacks }: PluginRequest<unknown>): string | null {
  const own = resolveModule(use, source.folder)
  if (own !== null || isModulePath(use)) return own
  for (const url of fallbacks) {
    const found = resolveModule(use, dirname(fileURLToPath(url)))
    if (found !== null) return found
  }
  return null
}

/** A module that was compiled to CommonJS has its default export one level deeper. */
function defaultExport(module: { default?: unknown }): unknown {
  const outer = module.default as { __esModule?: boolean; default?: unknown } | undefined
  return outer?.__esModule === true ? outer.default : outer
}

function checkManifest(exported: unknown, provides: Token<unknown>): { found: string; expected: string } | null {
  const expected = `a plugin for ${contractName(provides)}`
  if (exported === undefined) return { found: 'which has no default export', expected }
  if (typeof exported !== 'object' || exported === null) return { found: 'whose default export is no object', expected }
  const manifest = exported as Partial<Plugin>
  if (manifest.apiVersion !== PLUGIN_API_VERSION) {
    return {
      found: `which has the plugin API version ${manifest.apiVersion}`,
      expected: `version ${PLUGIN_API_VERSION}`,
    }
  }
  if (manifest.provides !== provides) return { found: `a plugin for ${contractName(manifest.provides)}`, expected }
  if (typeof manifest.name !== 'string') return { found: 'whose manifest has no name', expected }
  if (typeof manifest.optionsSchema !== 'object' || manifest.optionsSchema === null) {
    return { found: 'whose manifest has no optionsSchema', expected }
  }
  if (typeof manifest.create !== 'function') return { found: 'whose manifest has no create function', expected }
  return null
}

function contractName(token: unknown): string {
  return typeof token === 'symbol' ? (token.description ?? '').replace(/^spillway\./, '') : 'no contract'
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0]
}
