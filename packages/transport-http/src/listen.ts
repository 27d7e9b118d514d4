import type { ListenOptions, Server } from 'node:net'
import { resolve } from 'node:path'
import { BrokerError } from '@spillway/core'

const HOST_AND_PORT = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/
const PORT_MAX = 65_535

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
  ENOENT: 'no such file or directory',
  ENOTFOUND: 'no such host',
}

/**
 * Listens at `host:port`, `:port` or the path of a Unix socket; a relative path starts at `basePath`.
 * @throws BrokerError `E_LISTEN`
 */
export async function listen(server: Server, address: string, basePath: string): Promise<void> {
  try {
    const target = parseAddress(address, basePath)
    await new Promise<void>((resolved, rejected) => {
      server.once('error', rejected)
      server.listen(target, () => {
        server.off('error', rejected)
        resolved()
      })
    })
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new BrokerError('E_LISTEN', `listen (${address}) failed - ${REASONS[code] ?? message}`, { cause: error })
  }
}

/** What does not split into host and port is a path, as for nsqd. */
function parseAddress(address: string, basePath: string): ListenOptions {
  const match = HOST_AND_PORT.exec(address)
  if (match === null) return { path: resolve(basePath, address) }
  const [, bracketedHost, plainHost, portText] = match
  const port = /^[0-9]+$/.test(portText) ? Number(portText) : Number.NaN
  if (!(port <= PORT_MAX)) throw new Error(`unknown port ${portText}`)
  const host = bracketedHost ?? plainHost
  return host === '' ? { port } : { host, port }
}
