/** IPv4 peers of a socket that listens for both kinds are shown as what they are. */
const V4_IN_V6 = '::ffff:'

/** The other end of a socket, as Node tells it: nothing for a Unix socket, and once the peer is gone. */
export interface SocketPeer {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
}

/** Without the port; empty where there is none. */
export function peerIpOf({ remoteAddress = '' }: SocketPeer): string {
  return remoteAddress.startsWith(V4_IN_V6) ? remoteAddress.slice(V4_IN_V6.length) : remoteAddress
}

/** `ip:port`, `[v6]:port`; `@` where there is none. */
export function peerAddressOf(peer: SocketPeer): string {
  const ip = peerIpOf(peer)
  if (ip === '') return '@'
  return `${ip.includes(':') ? `[${ip}]` : ip}:${peer.remotePort}`
}
