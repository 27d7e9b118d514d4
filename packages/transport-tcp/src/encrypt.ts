import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Clock } from '@spillway/core'
import type { TlsCredentials } from '@spillway/tls'

/** A handshake that takes longer has failed. */
const HANDSHAKE_MS_MAX = 5_000

/**
 * Lets a client have its handshake on a connection that was open until now. What was read of it before is lost.
 * Whose certificate the client has is not looked at.
 * @throws Error that says why not; the connection is then closed
 */
export async function encrypt(socket: Socket, credentials: TlsCredentials, clock: Clock): Promise<TLSSocket> {
  const { context } = credentials
  if (context === null) throw new Error('no certificate')
  const encrypted = new TLSSocket(socket, {
    isServer: true,
    secureContext: context,
    requestCert: credentials.requestCert,
    // Has OpenSSL refuse a client that has none, with the alert that says so. Other certificates it lets pass: the caller looks.
    rejectUnauthorized: credentials.requestCert,
  })
  try {
    await handshake(encrypted, clock)
  } catch (error) {
    encrypted.destroy()
    throw error
  }
  return encrypted
}

function handshake(encrypted: TLSSocket, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(HANDSHAKE_MS_MAX, () => reject(new Error('tls: handshake timed out')))
    const failed = (error: Error): void => {
      timer.cancel()
      reject(error)
    }
    encrypted.on('error', failed)
    // Where Node tells of broken records, unless a server of its own has the connection; it then leaves it open.
    encrypted.on('_tlsError', (error: Error & { readonly reason?: string }) => {
      // The message is OpenSSL's, with thread, file and line.
      failed(error.reason === undefined ? error : new Error(`tls: ${error.reason}`, { cause: error }))
      encrypted.destroy()
    })
    encrypted.once('close', () => failed(new Error('tls: the connection was closed')))
    // Our side would stay open: a client may end its own and still read.
    encrypted.once('end', () => failed(new Error('tls: the connection was closed')))
    encrypted.once('secure', () => {
      timer.cancel()
      resolve()
    })
  })
}
