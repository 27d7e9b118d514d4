import { BrokerError } from '@spillway/core'

/** Where to listen: a TCP port, or a Unix socket. */
export type ListenTarget =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

const HOST_AND_PORT = /^(?:\[([^[\]]*)\]|([^[\]:]*)):([^[\]:]*)$/
const PORT = /^[0-9]{1,5}$/
const PORT_MAX = 65_535

/** What systems call their errors, for people. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EADDRNOTAVAIL: 'address not available on this machine',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'host name could not be resolved',
  ENOENT: 'no such directory',
  ENAMETOOLONG: 'path too long',
  EINVAL: 'invalid address',
}

/**
 * Splits `host:port`, `:port` (every address of the machine) or `[v6]:port`; what does not split so is the path of a Unix
 * socket.
 * @throws BrokerError `E_LISTEN` when the port is none
 */
export function parseListenAddress(address: string): ListenTarget {
  const parts = HOST_AND_PORT.exec(address)
  if (parts === null) return { kind: 'unix', path: address }
  const [, bracketedHost, plainHost, portText] = parts
  const port = Number(portText)
  if (!PORT.test(portText) || port > PORT_MAX) throw listenError(address, `unknown port ${portText}`)
  return { kind: 'tcp', host: bracketedHost ?? plainHost, port }
}

/** One line that names the address, whatever went wrong there. */
export function listenError(address: string, reason: string, cause?: Error): BrokerError {
  return new BrokerError('E_LISTEN', `listen (${address}) failed - ${reason}`, { cause })
}

/** What a system's error means, for {@link listenError}. */
export function reasonOf(error: NodeJS.ErrnoException): string {
  return REASONS[error.code ?? ''] ?? error.message
}
