import type { Writable } from 'node:stream'
import type { Clock } from '@spillway/core'
import { type Output, PROCESS_OUTPUT } from '../../output.js'
import { TIMER_MS_MAX } from './timer-limit.js'

/** Time; a timer keeps the process alive or not, as it likes. */
export type ToolClock = Pick<Clock, 'monotonicMs' | 'wallMs' | 'setTimer'>

/** What a tool has from the process, and from a test otherwise. */
export interface ToolSurroundings {
  readonly output: Output
  /** Where results go as bytes; a write calls back once it was taken, or with why not. */
  readonly stdout: Writable
  readonly isOutTerminal: boolean
  readonly isErrTerminal: boolean
  readonly clock: ToolClock
  /** What tells the tool to end, from now on. */
  listenForStop(): Stopping
  /** Calls back at every SIGHUP, until what it returns is called. */
  listenForHangup(callback: () => void): () => void
}

export interface Stopping {
  readonly signal: AbortSignal
  /** Listens no more. */
  close(): void
}

export const PROCESS_SURROUNDINGS: ToolSurroundings = {
  output: PROCESS_OUTPUT,
  get stdout() {
    return process.stdout
  },
  get isOutTerminal() {
    return process.stdout.isTTY === true
  },
  get isErrTerminal() {
    return process.stderr.isTTY === true
  },
  clock: {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    setTimer(delayMs, callback) {
      const timeout = setTimeout(callback, Math.min(delayMs, TIMER_MS_MAX))
      return { cancel: () => clearTimeout(timeout) }
    },
  },
  listenForStop: listenToProcess,
  listenForHangup(callback) {
    process.on('SIGHUP', callback)
    return () => void process.off('SIGHUP', callback)
  },
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = { SIGINT: 2, SIGTERM: 15 }

/** The first signal lets the tool finish what is in flight, the second ends the process at once. */
function listenToProcess(): Stopping {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(128 + SIGNAL_NUMBERS[name])
    controller.abort()
  }
  // Whoever read the output has gone, as with `| head`: that is an end, not a failure.
  const onOutError = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') controller.abort()
    else {
      process.stderr.write(`cannot write to standard output: ${error.message}\n`)
      process.exit(1)
    }
  }
  const onErrError = (): void => {}
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.stdout.on('error', onOutError)
  process.stderr.on('error', onErrError)
  return {
    signal: controller.signal,
    close() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      // The listeners for errors stay: what was written last may fail later.
    },
  }
}
