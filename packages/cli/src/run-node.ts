import type { Logger } from '@spillway/core'
import type { SpillwayNode } from '@spillway/core/node'
import { HeapRoom } from './heap-room.js'
import { exitOnBrokenInvariant, firstSignal, surviveSigusr1, surviveUnreadLog } from './process-end.js'

/** Who decides how long a node runs. */
export interface Lifetime {
  /** Resolves with why the node is to stop: the name of a signal, say. */
  readonly over: Promise<string>
  /** Everything listens. */
  started(): void
  /** `reload` may be called from now on, with a reason for the log. */
  canReload(reload: (reason: string) => void): void
}

/** Until SIGINT or SIGTERM; a second signal ends the process at once. */
function untilSignal(): Lifetime {
  return { over: firstSignal(), started: () => {}, canReload: () => {} }
}

/**
 * Starts a node and keeps it running until its lifetime is over, then stops it in order.
 * SIGHUP has its plugins read again what their options name: certificates, say.
 * @param lifetime - until SIGINT or SIGTERM without it
 * @returns the exit code
 * @throws what {@link SpillwayNode.start} throws
 */
export async function runNode(node: SpillwayNode, logger: Logger, lifetime = untilSignal()): Promise<number> {
  exitOnBrokenInvariant(logger)
  surviveSigusr1(logger)
  surviveUnreadLog()
  const reload = (reason: string): void => {
    logger.info(`${reason}: reloading`)
    void node.reload()
  }
  process.on('SIGHUP', () => reload('SIGHUP'))
  lifetime.canReload(reload)
  const heapRoom = new HeapRoom(node.broker.options.memorySizeBytesMax)
  // What ends it during the start waits for the end of that: half an opening cannot be closed in order.
  await node.start()
  lifetime.started()
  // A node without listeners would have nothing to keep the process alive.
  const keptAlive = setInterval(() => {}, 2 ** 30)
  const reason = await lifetime.over
  clearInterval(keptAlive)
  heapRoom.close()
  logger.info(`${reason}: stopping`)
  try {
    await node.stop()
  } catch {
    return 1 // the node has logged what failed
  }
  logger.info('stopped')
  return 0
}
