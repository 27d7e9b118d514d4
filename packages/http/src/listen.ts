import type { AddressInfo, Server } from 'node:net'
import { type ListenAddress, listenError, parseListenAddress } from '@spillway/core'

/**
 * Listens at `host:port`, `:port` or the path of a Unix socket; a relative path starts at `basePath`.
 * @throws BrokerError `E_LISTEN`
 */
export async function listen(server: Server, address: string, basePath: string): Promise<void> {
  const target = parseListenAddress(address, basePath)
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error): void => reject(listenError(address, error))
    server.once('error', failed)
    server.listen(target, () => {
      server.off('error', failed)
      resolve()
    })
  })
}

/** Where a server listens by now; -1 is the port of a Unix socket. */
export function boundAddressOf(server: Server, protocol: ListenAddress['protocol']): ListenAddress {
  const bound = server.address() as AddressInfo | string
  return typeof bound === 'string'
    ? { protocol, address: bound, port: -1 }
    : { protocol, address: bound.address, port: bound.port }
}
