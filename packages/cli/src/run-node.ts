import type { Logger } from '@spillway/core'
import type { SpillwayNode } from '@spillway/core/node'

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const
type StopSignal = keyof typeof SIGNAL_NUMBERS

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
  // Node would open its debugger on port 9229 at this signal, which tools that rotate logs send.
  process.on('SIGUSR1', () => logger.info('SIGUSR1: nothing to do'))
  const reload = (reason: string): void => {
    logger.info(`${reason}: reloading`)
    void node.reload()
  }
  process.on('SIGHUP', () => reload('SIGHUP'))
  lifetime.canReload(reload)
  // What ends it during the start waits for the end of that: half an opening cannot be closed in order.
  await node.start()
  lifetime.started()
  // A node without listeners would have nothing to keep the process alive.
  const keptAlive = setInterval(() => {}, 2 ** 30)
  const reason = await lifetime.over
  clearInterval(keptAlive)
  logger.info(`${reason}: stopping`)
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
