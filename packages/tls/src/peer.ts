import type { TLSSocket } from 'node:tls'
import type { TlsStats } from '@spillway/core'

/** Suites that have no name in nsqd, which shows their number. Of those that it does not know we show the name. */
const NUMBERS: Readonly<Record<string, number>> = {
  TLS_AES_128_GCM_SHA256: 0x1301,
  TLS_AES_256_GCM_SHA384: 0x1302,
  TLS_CHACHA20_POLY1305_SHA256: 0x1303,
  TLS_RSA_WITH_AES_128_CBC_SHA256: 0x003c,
  TLS_RSA_WITH_AES_128_GCM_SHA256: 0x009c,
  TLS_RSA_WITH_AES_256_GCM_SHA384: 0x009d,
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: 0xc023,
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: 0xc027,
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 0xc02c,
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 0xc030,
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca8,
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 0xcca9,
}

/** The other end of a connection whose handshake is done: what was agreed on, and the common name of its certificate, empty without one. */
export function peerOf(socket: TLSSocket): TlsStats & { readonly commonName: string } {
  const suite = socket.getCipher().standardName
  const number = NUMBERS[suite]
  const { alpnProtocol } = socket
  return {
    version: (socket.getProtocol() ?? '').replace(/^TLSv(\d)$/, 'TLSv$1.0').replace('TLSv', 'TLS'),
    cipherSuite: number === undefined ? suite : `Unknown ${number}`,
    negotiatedProtocol: typeof alpnProtocol === 'string' ? alpnProtocol : '',
    commonName: commonNameOf(socket),
  }
}

/** Whether the peer has shown a certificate at all. A connection that is gone has none any more. */
export function hasCertificate(socket: TLSSocket): boolean {
  return Object.keys(socket.getPeerCertificate() ?? {}).length > 0
}

/** The common name of the peer's certificate, empty without one. Of several the last counts, as in Go. */
export function commonNameOf(socket: TLSSocket): string {
  const names: string | readonly string[] = socket.getPeerCertificate()?.subject?.CN ?? ''
  return typeof names === 'string' ? names : (names.at(-1) ?? '')
}

/**
 * Why the client's certificate will not do, for a policy that wants one; `null` when it will. Node's own servers look at the same
 * place; a socket that was changed in the middle has no server.
 */
export function refusalOfPeer(socket: TLSSocket, verifies: boolean): string | null {
  if (!hasCertificate(socket)) return 'tls: client did not provide a certificate'
  if (!verifies) return null
  const { ssl } = socket as unknown as { ssl: { verifyError(): Error | null } | null }
  if (ssl === null) return 'tls: the connection was closed'
  const error = ssl.verifyError()
  if (error === null) return null
  // Node 24 adds what the other end might try, if it were Node: `self-signed certificate; if the root CA …`
  const [reason] = error.message.split('; ')
  return `tls: client certificate of ${JSON.stringify(commonNameOf(socket))}: ${reason}`
}
