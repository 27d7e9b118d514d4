import type { NetConnectOpts } from 'node:net'

/** Where a node listens: `host:port`, `[::1]:port`, or the path of a Unix socket. */
export interface Address {
  /** As it was written; what events and errors name. */
  readonly text: string
  /** Empty for a Unix socket. */
  readonly host: string
  readonly connect: NetConnectOpts
}

/** @returns null when it is neither */
export function parseAddress(text: string): Address | null {
  if (text.startsWith('/') || text.startsWith('./')) return { text, host: '', connect: { path: text } }
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text)
  if (match === null) return null
  const host = match[1] ?? match[2]
  const port = Number(match[3])
  if (port < 1 || port > 65_535) return null
  return { text, host, connect: { host, port } }
}

/** Of a node that a lookup has named. */
export function addressOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
