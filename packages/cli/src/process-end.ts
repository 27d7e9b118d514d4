import type { Logger } from '@spillway/core'

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const
type StopSignal = keyof typeof SIGNAL_NUMBERS

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function firstSignal(): Promise<StopSignal> {
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

/** An error that nobody caught means that a program does not know its own state any more: it stops rather than goes on. */
export function exitOnBrokenInvariant(logger: Logger): void {
  process.on('uncaughtException', (error: unknown) => {
    logger.fatal(`uncaught: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    process.exit(1)
  })
}

/** Whoever read the log has gone: a service goes on without one. Tools that write results end then; it has other work. */
export function surviveUnreadLog(): void {
  process.stderr.on('error', () => {})
}

/** Node would open its debugger on port 9229 at this signal, which tools that rotate logs send. */
export function surviveSigusr1(logger: Logger): void {
  process.on('SIGUSR1', () => logger.info('SIGUSR1: nothing to do'))
}
