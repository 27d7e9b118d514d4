import type { LogLevel } from '@spillway/core'
import type { RawConfig, SpillwayConfig } from '@spillway/core/node'
import type { LogFormat } from '../../log/open-logger.js'

/** What a node is to run; everything that it needs to know. */
export interface NodeOrder {
  readonly config: SpillwayConfig
  readonly source: {
    readonly label: string
    readonly folder: string
    readonly substituted: readonly (readonly [pointer: string, text: string])[]
  }
  readonly nodesOnMachine: number
  readonly logFormat: LogFormat
  readonly logLevel: LogLevel | null
}

/** From the supervisor to a node, over the channel that Node.js gives them. Its end is a stop as well. */
export type ToNode =
  | { readonly kind: 'start'; readonly order: NodeOrder }
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'reload'; readonly reason: string }

/** From a node to its supervisor. */
export type FromNode = { readonly kind: 'listening' }

/** A configuration, as it is sent. */
export function sourceOf({ source }: RawConfig): NodeOrder['source'] {
  return { label: source.label, folder: source.folder, substituted: [...source.substituted] }
}

/** The configuration of an order, as it was read. */
export function rawConfigOf({ config, source }: NodeOrder): RawConfig {
  return { value: config, source: { ...source, substituted: new Map(source.substituted) }, problems: [] }
}
