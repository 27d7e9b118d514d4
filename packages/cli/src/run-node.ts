import type { Logger } from '@spillway/core'
import type { SpillwayNode } from '@spillway/core/node'
import { HeapRoom } from './heap-room.js'

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const
type StopSignal = keyof typeof SIGNAL_NUMBERS

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
  // Node would open its debugger on port 9229 at this signal, which tools that rotate logs send.
  process.on('SIGUSR1', () => logger.info('SIGUSR1: nothing to do'))
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

function firstSignal(): Promise<StopSignal> {
  return new Promise((resolve) => {
    let seen = false
    const onSignal = (signal: NodeJS.Signals): void => {
      if (seen) process.exit(128 + SIGNAL_NUMBERS[signal as StopSignal])
      seen = true
      resolve(signal as StopSignal)
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

/** An error that nobody caught means that the broker does not know its own state any more: it stops rather than goes on. */
function exitOnBrokenInvariant(logger: Logger): void {
  process.on('uncaughtException', (error: unknown) => {
    logger.fatal(`uncaught: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    process.exit(1)
  })
}
