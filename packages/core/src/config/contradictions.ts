import { parseListenAddress } from '../listen-address.js'
import type { ConfigSource, NodeSettings } from './config.js'
import type { ConfigProblem } from './problem.js'

/** Each of the first must not be above the second. */
const ORDERED = [
  ['msgTimeoutMs', 'msgTimeoutMsMax'],
  ['heartbeatIntervalMs', 'heartbeatIntervalMsMax'],
  ['msgSizeBytesMax', 'bodySizeBytesMax'],
  ['outputBufferSizeBytes', 'outputBufferSizeBytesMax'],
  ['outputBufferTimeoutMsMin', 'outputBufferTimeoutMs'],
  ['outputBufferTimeoutMs', 'outputBufferTimeoutMsMax'],
] as const satisfies readonly (readonly [keyof NodeSettings, keyof NodeSettings])[]

/** Limits that each are allowed, and together cannot be meant. */
export function contradictingLimits(
  node: Partial<Record<keyof NodeSettings, unknown>>,
  source: ConfigSource,
): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  for (const [lower, upper] of ORDERED) {
    const [low, high] = [node[lower], node[upper]]
    if (typeof low !== 'number' || typeof high !== 'number' || low <= high) continue
    const expected = `at most node.${upper}, which is ${high}`
    problems.push({ code: 'E_CONFIG', file: source.label, pointer: `/node/${lower}`, found: String(low), expected })
  }
  return problems
}

/** A transport, as far as is looked at here. */
interface Listener {
  readonly plugin: { readonly name: string }
  readonly options: unknown
  readonly pointer: string
}

/** Our own, whose addresses have a form that is known here. */
const OWN_TRANSPORTS = ['transport-tcp', 'transport-http']

/** Addresses that no transport could listen on: with a port that does not exist, or that another transport has. */
export function impossibleAddresses(transports: readonly Listener[], source: ConfigSource): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const owners = new Map<string, string>()
  for (const { plugin, options, pointer } of transports) {
    const address = (options as { address?: unknown } | null)?.address
    if (typeof address !== 'string') continue
    const place = `${pointer}/options/address`
    const reference = source.substituted.get(place)
    const found = reference === undefined ? JSON.stringify(address) : `the value of ${JSON.stringify(reference)}`
    const at = { code: 'E_CONFIG', file: source.label, pointer: place, found } as const
    const key = listenKey(address)
    if (key === null && OWN_TRANSPORTS.includes(plugin.name)) {
      problems.push({
        ...at,
        expected: 'host:port or :port, with a port up to 65535, or the path of a Unix socket with a slash in it',
      })
    }
    if (key === null || key.endsWith(':0')) continue // the system chooses another port for each
    const owner = owners.get(key)
    owners.set(key, owner ?? pointer)
    if (owner !== undefined) problems.push({ ...at, expected: `another address than that of ${owner}` })
  }
  return problems
}

/** Of our own transport for V2: without a certificate it cannot give what it requires. HTTP can, on another address. */
export function impossibleRequirements(transports: readonly Listener[], source: ConfigSource): ConfigProblem[] {
  return transports
    .filter(({ plugin, options }) => {
      const { tlsRequired, tls } = (options ?? {}) as { tlsRequired?: unknown; tls?: unknown }
      return plugin.name === 'transport-tcp' && tlsRequired === true && tls === undefined
    })
    .map(({ pointer }) => ({
      code: 'E_CONFIG',
      file: source.label,
      pointer: `${pointer}/options/tlsRequired`,
      found: 'true',
      expected: 'false, or tls beside it: without a certificate no client gets in',
    }))
}

const EVERYWHERE = new Set([undefined, '0.0.0.0', '::'])

/** The same for addresses of which only one can be had; `null` for what is no address. */
function listenKey(address: string): string | null {
  try {
    const target = parseListenAddress(address, '/')
    if ('path' in target) return address
    return `${EVERYWHERE.has(target.host) ? '*' : target.host}:${target.port}`
  } catch {
    return null
  }
}
