import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** Connections whose TLS handshake is not done. Node's server tells nobody about them, and does not end without them. */
export class Handshakes {
  /** By the peer's address, the one thing that the encrypted socket shares with the one below it. */
  readonly #sockets = new Map<string, Socket>()

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket)
      this.#sockets.set(peer, socket)
      socket.on('close', () => {
        if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer)
      })
    })
    server.on('secureConnection', (encrypted: Socket) => this.#sockets.delete(peerOf(encrypted)))
  }

  destroy(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
  }
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`
