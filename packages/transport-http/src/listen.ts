import type { ListenOptions, Server } from 'node:net'
import { resolve } from 'node:path'
import { BrokerError } from '@spillway/core'

const HOST_AND_PORT = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/

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
    await new Promise<void>((resolved, rejected) => {
      server.once('error', rejected)
      server.listen(parseAddress(address, basePath), () => {
        server.off('error', rejected)
        resolved()
      })
    })
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new BrokerError('E_LISTEN', `listen (${address}) failed - ${REASONS[code] ?? message}`, { cause: error })
  }
}

function parseAddress(address: string, basePath: string): ListenOptions {
  const match = HOST_AND_PORT.exec(address)
  if (match === null) return { path: resolve(basePath, address) }
  const host = match[1] ?? match[2]
  const port = Number(match[3])
  return host === '' ? { port } : { host, port }
}
