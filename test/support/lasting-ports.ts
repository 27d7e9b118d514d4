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
export function lastingPorts(count: number): Promise<number[]> {
  return lastingPortsApart(count, [0])
}

/** The same, where those that are so far above each of them are free as well. */
export async function lastingPortsApart(count: number, offsets: readonly number[]): Promise<number[]> {
  const ports = new Set<number>()
  const known = new Set<number>()
  for (let tries = 0; ports.size < count; tries++) {
    if (tries === TRIES_MAX) throw new Error(`no ${count} free ports from ${PORT_MIN} to ${PORT_MAX}`)
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN))
    const all = offsets.map((offset) => port + offset)
    if (all.some((one) => known.has(one))) continue
    const areFree = await Promise.all(all.map(isFree))
    if (!areFree.every(Boolean)) continue
    ports.add(port)
    for (const one of all) known.add(one)
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
