import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export const GOOD_SECRET = 'open-sesame'

/** An auth server as NSQ knows them: whoever has the secret may do everything on topics that begin with `open-`. */
export class AuthServer {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<AuthServer> {
    const server = createServer((request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://localhost')
      const authorizations = [{ topic: '^open-', channels: ['.*'], permissions: ['subscribe', 'publish'] }]
      const isKnown = searchParams.get('secret') === GOOD_SECRET
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({ ttl: 60, identity: 'ali', identity_url: '', authorizations: isKnown ? authorizations : [] }),
      )
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new AuthServer(server)
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await once(this.#server.close(), 'close')
  }
}
