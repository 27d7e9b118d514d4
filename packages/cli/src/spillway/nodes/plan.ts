import { isSocketPath, parseListenAddress } from '@spillway/core'
import {
  ConfigError,
  type ConfigProblem,
  type LoadedConfig,
  type RawConfig,
  type SpillwayConfig,
} from '@spillway/core/node'

export interface PlanOptions {
  readonly nodeCount: number
  /** From the ports of one node to those of the next. */
  readonly portStep: number
}

/** Where one transport of a node listens. */
export interface PlannedAddress {
  /** The plugin's name, without what all of them begin with: `tcp`, `http`. */
  readonly transport: string
  readonly address: string
}

/** What one of several brokers on a machine gets. */
export interface NodePlan {
  /** `node-1`, `node-2`, … */
  readonly name: string
  /** As in its configuration: relative to the configuration file. */
  readonly dataPath: string
  readonly addresses: readonly PlannedAddress[]
  /** The configuration, changed for this node. */
  readonly config: SpillwayConfig
}

const PORT_MAX = 65_535
const EVERYWHERE = new Set(['', '0.0.0.0', '::'])

export const nodeName = (number: number): string => `node-${number}`

/**
 * Gives each of several brokers on one machine what is its own; everything else is the same for all.
 *
 * ```
 *              node-1          node-2          node-3            rule
 *   ports      4150, 4151      4250, 4251      4350, 4351        + portStep for each; 0 stays 0
 *   data       data/node-1     data/node-2     data/node-3       a folder in node.dataPath
 *   /run/s.sock  s-node-1.sock   s-node-2.sock   s-node-3.sock   the name; relative ones lie in the node's data path anyhow
 * ```
 *
 * Ports are those in `address` and `port` of each transport's options, and the broadcast ports.
 * @param loaded - what `raw` was found to be
 * @throws ConfigError where that leads to a port that does not exist, or that two would have
 */
export function planNodes(raw: RawConfig, loaded: LoadedConfig, { nodeCount, portStep }: PlanOptions): NodePlan[] {
  const addresses = new AddressBook(loaded)
  const plans = Array.from({ length: nodeCount }, (_, index): NodePlan => {
    const name = nodeName(index + 1)
    const shift = index * portStep
    const { node, transports, ...rest } = raw.value as SpillwayConfig
    const dataPath = `${loaded.node.dataPath.replace(/\/+$/, '')}/${name}`
    const planned: PlannedAddress[] = []
    return {
      name,
      dataPath,
      addresses: planned,
      config: {
        ...rest,
        node: { ...node, dataPath, ...broadcastPorts(loaded, shift, name, addresses) },
        transports: transports.map((transport, at) => {
          const { plugin, options, pointer } = loaded.transports[at]
          const own = ownListener(options as ListenerOptions, shift, name)
          addresses.add(name, `${pointer}/options`, own)
          const address = own.address ?? (own.port === undefined ? '' : String(own.port))
          planned.push({ transport: plugin.name.replace(/^transport-/, ''), address })
          return { ...transport, options: { ...transport.options, ...own } }
        }),
      },
    }
  })
  addresses.throwIfImpossible()
  return plans
}

interface ListenerOptions {
  readonly address?: string
  readonly port?: number
}

/** The options of a transport that say where it listens, for one node; those that are no address stay as they are. */
function ownListener(options: ListenerOptions | null, shift: number, name: string): ListenerOptions {
  const { address, port } = options ?? {}
  return {
    ...(typeof address === 'string' ? { address: ownAddress(address, shift, name) } : {}),
    ...(typeof port === 'number' ? { port: shifted(port, shift) } : {}),
  }
}

function ownAddress(address: string, shift: number, name: string): string {
  if (isSocketPath(address)) {
    const isInDataPath = !/^(?:[/\\]|[A-Za-z]:)/.test(address)
    return isInDataPath ? address : address.replace(/(\.[^./\\]*)?$/, `-${name}$1`)
  }
  const [, host, port] = /^(.*):([0-9]{1,5})$/.exec(address) ?? []
  return port === undefined ? address : `${host}:${shifted(Number(port), shift)}`
}

/** 0 is any port, for every node. */
const shifted = (port: number, shift: number): number => (port === 0 ? 0 : port + shift)

function broadcastPorts(
  { node }: LoadedConfig,
  shift: number,
  name: string,
  addresses: AddressBook,
): Partial<Record<'broadcastTcpPort' | 'broadcastHttpPort', number>> {
  const ports: Partial<Record<'broadcastTcpPort' | 'broadcastHttpPort', number>> = {}
  for (const key of ['broadcastTcpPort', 'broadcastHttpPort'] as const) {
    if (node[key] === 0) continue
    ports[key] = node[key] + shift
    addresses.requirePort(name, `/node/${key}`, node[key] + shift)
  }
  return ports
}

/** Who has which address, and what is wrong with that: the first thing for each place of the configuration. */
class AddressBook {
  private readonly owners: { readonly host: string; readonly port: number; readonly owner: string }[] = []
  private readonly problems = new Map<string, ConfigProblem>()

  constructor(private readonly loaded: LoadedConfig) {}

  add(name: string, pointer: string, { address, port }: ListenerOptions): void {
    if (port !== undefined) this.requirePort(name, `${pointer}/port`, port)
    if (address === undefined) return
    const place = `${pointer}/address`
    const target = targetOf(address)
    if (target === null) {
      const [, shiftedPort] = /:([0-9]+)$/.exec(address) ?? []
      if (shiftedPort !== undefined) this.requirePort(name, place, Number(shiftedPort))
      return
    }
    const { host, port: wanted } = target
    if (wanted === 0) return
    const taken = this.owners.find(
      (other) => other.port === wanted && (other.host === host || EVERYWHERE.has(other.host) || EVERYWHERE.has(host)),
    )
    const owner = `${name} has for ${pointer.replace(/\/options$/, '')}`
    this.owners.push({ host, port: wanted, owner })
    if (taken === undefined) return
    this.note(
      place,
      `${this.describe(place, address)} for ${name}`,
      `another than ${taken.owner}: try another --port-step`,
    )
  }

  requirePort(name: string, pointer: string, port: number): void {
    if (port <= PORT_MAX) return
    const expected = `a port up to ${PORT_MAX}: fewer nodes, lower ports or a smaller --port-step`
    this.note(pointer, `port ${port} for ${name}`, expected)
  }

  throwIfImpossible(): void {
    if (this.problems.size > 0) throw new ConfigError([...this.problems.values()])
  }

  private note(pointer: string, found: string, expected: string): void {
    if (this.problems.has(pointer)) return
    this.problems.set(pointer, { code: 'E_CONFIG', file: this.loaded.source.label, pointer, found, expected })
  }

  private describe(pointer: string, address: string): string {
    const reference = this.loaded.source.substituted.get(pointer)
    return reference === undefined ? JSON.stringify(address) : `what becomes of ${JSON.stringify(reference)}`
  }
}

/** Host and port; `null` for what is none, such as the path of a Unix socket. */
function targetOf(address: string): { readonly host: string; readonly port: number } | null {
  try {
    const target = parseListenAddress(address, '/')
    return 'path' in target ? null : { host: target.host ?? '', port: target.port }
  } catch {
    return null
  }
}
