import { resolve } from 'node:path'
import { BrokerError } from './errors.js'

/** Where to listen: a TCP port (on every address of the machine when `host` is missing), or a Unix socket. As `Server.listen` takes it. */
export type ListenTarget = { readonly host?: string; readonly port: number } | { readonly path: string }

const HOST_AND_PORT = /^(?:\[([^[\]]*)\]|([^[\]:]*)):([^[\]:]*)$/
const PORT = /^[0-9]{1,5}$/
const PORT_MAX = 65_535

/** What systems call their errors, for people. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'cannot assign requested address',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'host name could not be resolved',
  ENOENT: 'no such directory',
  ENAMETOOLONG: 'path too long',
  EINVAL: 'invalid address',
}

/**
 * Splits `host:port`, `:port` or `[v6]:port`; what does not split so may be the path of a Unix socket.
 * @param basePath - where a relative path begins
 * @throws BrokerError `E_LISTEN` when the port is none, or missing
 */
export function parseListenAddress(address: string, basePath: string): ListenTarget {
  const parts = HOST_AND_PORT.exec(address)
  if (parts === null) {
    if (!isSocketPath(address)) {
      const reason = `there is no port; a Unix socket is a path with a slash, such as ./${address}`
      throw new BrokerError('E_LISTEN', `listen (${address}) failed - ${reason}`)
    }
    return { path: resolve(basePath, address) }
  }
  const [, bracketedHost, plainHost, portText] = parts
  const port = Number(portText)
  if (!PORT.test(portText) || port > PORT_MAX) throw listenError(address, new Error(`unknown port ${portText}`))
  const host = bracketedHost ?? plainHost
  return host === '' ? { port } : { host, port }
}

/** Splits `host:port`, `:port` or `[v6]:port` of a peer; null where it does not split so, or the port is not from 1 to 65535. */
export function parseHostAndPort(address: string): { readonly host: string; readonly port: number } | null {
  const [, bracketedHost, plainHost, portText] = HOST_AND_PORT.exec(address) ?? []
  const port = Number(portText)
  if (portText === undefined || !PORT.test(portText) || port === 0 || port > PORT_MAX) return null
  return { host: bracketedHost ?? plainHost, port }
}

/**
 * Whether an address is the path of a Unix socket: one with a slash, or a name that ends as those do. `127.0.0.1` and
 * `localhost` are hosts whose port was forgotten, not files.
 */
export function isSocketPath(address: string): boolean {
  return !HOST_AND_PORT.test(address) && (/[/\\]/.test(address) || /\.sock(et)?$/i.test(address))
}

/** One line that names the address, whatever went wrong there. */
export function listenError(address: string, cause: NodeJS.ErrnoException): BrokerError {
  return new BrokerError('E_LISTEN', `listen (${address}) failed - ${REASONS[cause.code ?? ''] ?? cause.message}`, {
    cause,
  })
}
