import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems give to outgoing connections (32768 and up on Linux, 49152 and up elsewhere). */
const PORT_MIN = 15_000
const PORT_MAX = 30_000
const TRIES_MAX = 200

/**
 * Different free ports of 127.0.0.1 for a server that comes and goes. While it is away, no outgoing connection is given
 * one of them; with other ports, a client that keeps trying may even be connected to itself.
 */
export async function lastingPorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  for (let tries = 0; ports.size < count; tries++) {
    if (tries === TRIES_MAX) throw new Error(`no ${count} free ports from ${PORT_MIN} to ${PORT_MAX}`)
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN))
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  await once(server.close(), 'close')
  return true
}
