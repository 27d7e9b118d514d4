import type { Logger } from '@spillway/core'
import type { SpillwayNode } from '@spillway/core/node'
import { HeapRoom } from './heap-room.js'
import { exitOnBrokenInvariant, firstSignal, surviveSigusr1 } from './process-end.js'

/**
 * Starts a node and keeps it running until SIGINT or SIGTERM, then stops it in order. A second signal ends the process at once.
 * SIGHUP has its plugins read again what their options name: certificates, say.
 * @returns the exit code
 * @throws what {@link SpillwayNode.start} throws
 */
export async function runNode(node: SpillwayNode, logger: Logger): Promise<number> {
  exitOnBrokenInvariant(logger)
  // A signal during the start waits for its end: half an opening cannot be closed in order.
  const signalled = firstSignal()
  surviveSigusr1(logger)
  process.on('SIGHUP', () => {
    logger.info('SIGHUP: reloading')
    void node.reload()
  })
  const heapRoom = new HeapRoom(node.broker.options.memorySizeBytesMax)
  await node.start()
  // A node without listeners would have nothing to keep the process alive.
  const keptAlive = setInterval(() => {}, 2 ** 30)
  const signal = await signalled
  clearInterval(keptAlive)
  heapRoom.close()
  logger.info(`${signal}: stopping`)
  try {
    await node.stop()
  } catch {
    return 1 // the node has logged what failed
  }
  logger.info('stopped')
  return 0
}
