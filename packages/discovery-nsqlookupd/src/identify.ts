import type { NodeAddress } from '@spillway/core'

/** Where the HTTP API of an nsqlookupd is, as it says itself. */
export interface LookupdHttp {
  readonly host: string
  readonly port: number
}

/**
 * ```
 *   IDENTIFY\n | length: int32, big-endian | JSON
 * ```
 */
export function identifyCommand(node: NodeAddress): Buffer {
  // In nsqd's order, which is that of the alphabet.
  const body = JSON.stringify({
    broadcast_address: node.broadcastAddress,
    hostname: node.hostname,
    http_port: node.httpPort,
    tcp_port: node.tcpPort,
    topology_region: node.topologyRegion,
    topology_zone: node.topologyZone,
    version: node.version,
  })
  const name = 'IDENTIFY\n'
  const command = Buffer.alloc(name.length + 4 + Buffer.byteLength(body))
  command.write(name)
  command.writeInt32BE(Buffer.byteLength(body), name.length)
  command.write(body, name.length + 4)
  return command
}

/**
 * @returns null when it does not say where its HTTP API is: then it is not asked for channels
 * @throws Error when this is no answer to IDENTIFY
 */
export function parseIdentifyAnswer(text: string): LookupdHttp | null {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    throw new Error(`it answered ${quoted(text)}`)
  }
  if (typeof answer !== 'object' || answer === null) throw new Error(`it answered ${quoted(text)}`)
  const { broadcast_address: host, http_port: port } = answer as Record<string, unknown>
  const isPort = Number.isInteger(port) && (port as number) > 0 && (port as number) <= 65_535
  return typeof host === 'string' && host !== '' && isPort ? { host, port: port as number } : null
}

const QUOTED_LENGTH_MAX = 200

/** What somebody sent, for a line of the log. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > QUOTED_LENGTH_MAX ? `${text.slice(0, QUOTED_LENGTH_MAX)}…` : text)
}
