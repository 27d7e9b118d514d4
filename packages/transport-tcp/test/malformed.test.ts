import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Random } from '@spillway/core'
import { randomBelow, seededRandom } from '@spillway/core/testing'
import { pub, TestServer } from './support.js'

const CONNECTIONS = Number(process.env.SPILLWAY_CONNECTIONS ?? 1_500)
const AT_ONCE = 50
const GROWTH_SIZE_BYTES_MAX = 10 * 1024 * 1024

const SEEDS = [
  'SUB t c\nRDY 5\n',
  'IDENTIFY\n\0\0\0\x02{}',
  'FIN 0123456789abcdef\n',
  'CLS\n',
  'NOP\n',
  'RDY 3\n',
  'MPUB t\n\0\0\0\x0d\0\0\0\x01\0\0\0\x05hello',
]

/** A conversation cut off, shuffled or spoilt at some place. */
function malformed(random: Random): Buffer {
  const parts: Buffer[] = [Buffer.from('  V2')]
  for (let count = randomBelow(random, 5); count >= 0; count--) {
    parts.push(random() < 0.3 ? pub('t', 'hello') : Buffer.from(SEEDS[randomBelow(random, SEEDS.length)], 'latin1'))
  }
  const bytes = Buffer.concat(parts)
  for (let count = randomBelow(random, 3); count > 0; count--) {
    bytes[randomBelow(random, bytes.length)] = randomBelow(random, 256)
  }
  return bytes.subarray(0, random() < 0.3 ? randomBelow(random, bytes.length) : bytes.length)
}

/** Half of the peers wait for what comes, the others vanish. */
async function converse(server: TestServer, random: Random): Promise<void> {
  const bytes = malformed(random)
  const vanishes = random() < 0.5
  const client = await server.connect()
  const closed = once(client.socket, 'close')
  if (vanishes) {
    client.send(bytes)
    setImmediate(() => client.socket.resetAndDestroy())
  } else {
    client.socket.end(bytes)
    while ((await client.next()) !== null);
    client.socket.destroy()
  }
  await closed
}

describe('malformed input over TCP', () => {
  const seed = Number(process.env.SPILLWAY_SEED ?? Math.floor(Math.random() * 2 ** 32))

  it(`leaves no connection, no client and no memory behind (SPILLWAY_SEED=${seed})`, async () => {
    const random = seededRandom(seed)
    const server = await TestServer.start()
    try {
      const run = async (connections: number): Promise<void> => {
        for (let done = 0; done < connections; done += AT_ONCE) {
          await Promise.all(Array.from({ length: AT_ONCE }, () => converse(server, random)))
          server.forgetClients()
        }
        while (server.transport.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve))
        // What was published is not what was left behind.
        await server.engine.getTopic('t')?.delete()
      }
      await run(CONNECTIONS / 3)
      const before = await liveSizeBytes()
      await run((2 * CONNECTIONS) / 3)
      const grownBytes = (await liveSizeBytes()) - before
      assert.ok(grownBytes < GROWTH_SIZE_BYTES_MAX, `${grownBytes} bytes more than before`)
      assert.equal(server.engine.stats({ includeClients: true }).producers.length, 0)
      const client = await server.connect()
      client.send('  V2', pub('t', 'still here'))
      assert.equal(await client.next(), 'OK')
    } finally {
      await server.close()
    }
  }).timeout(120_000)
})

async function liveSizeBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
