import type { Clock, Random } from '../contracts/clock.js'
import { BrokerError } from '../errors.js'

/** What can be late or fail. */
export type SimulatedOperation =
  | 'readCatalogue'
  | 'writeCatalogue'
  | 'takeLeases'
  | 'openLog'
  | 'deleteLog'
  | 'listLogs'
  | 'append'
  | 'read'
  | 'trim'
  | 'saveCursor'
  | 'loadCursor'
  | 'deleteCursor'

export type SimulatedFault = 'E_STORAGE_FULL' | 'E_STORAGE_IO'

export interface SimulationOptions {
  /** A {@link FakeClock}, usually: operations resolve when it moves. */
  readonly clock: Pick<Clock, 'setTimer'>
  readonly random: Random
  /** How long an operation takes. 0: done before the call returns, where the contract allows that. Without it, 0 to 10 ms. */
  readonly latencyMs?: (operation: SimulatedOperation) => number
  /** Asked at each call: how it fails, `null` if it does not. Without it, nothing fails. */
  readonly fault?: (operation: SimulatedOperation) => SimulatedFault | null
}

/** What a lane does with one call. */
export interface SimulatedStep<T> {
  readonly operation: SimulatedOperation
  /** As {@link Simulation.begin} said. */
  readonly fault: SimulatedFault | null
  /** Takes effect on the disk. */
  effect(): T
  /** Takes whatever effect a failure has; without it, none. */
  failed?(fault: SimulatedFault): void
}

interface PendingStep {
  readonly step: SimulatedStep<unknown>
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
  isReady: boolean
}

/** How one life of a simulated storage goes: when calls resolve, which of them fail, and when it is over. */
export class Simulation {
  readonly random: Random
  /** Calls so far. */
  callCount = 0
  /** The life ends just before the call with this number (the first is 1). */
  crashAtCall = Number.POSITIVE_INFINITY
  isCrashed = false
  isHeld = false
  readonly #options: SimulationOptions
  readonly #lanes = new Set<SimulatedLane>()
  readonly #onCrash: () => void

  constructor(options: SimulationOptions, onCrash: () => void) {
    this.#options = options
    this.random = options.random
    this.#onCrash = onCrash
  }

  /** Counts a call and decides how it will end. After a crash the answer means nothing. */
  begin(operation: SimulatedOperation): SimulatedFault | null {
    if (this.isCrashed) return null
    if (++this.callCount >= this.crashAtCall) {
      this.crash()
      return null
    }
    return this.#options.fault?.(operation) ?? null
  }

  latencyMs(operation: SimulatedOperation): number {
    return this.#options.latencyMs?.(operation) ?? Math.floor(this.random() * 11)
  }

  after(latencyMs: number, callback: () => void): void {
    this.#options.clock.setTimer(latencyMs, () => {
      if (!this.isCrashed) callback()
    })
  }

  /** Nothing resolves from now on; what was called is neither done nor refused. */
  crash(): void {
    if (this.isCrashed) return
    this.isCrashed = true
    for (const lane of this.#lanes) lane.land()
    this.#onCrash()
  }

  release(): void {
    this.isHeld = false
    for (const lane of this.#lanes) lane.drain()
  }

  addLane(lane: SimulatedLane): void {
    this.#lanes.add(lane)
  }

  removeLane(lane: SimulatedLane): void {
    this.#lanes.delete(lane)
  }
}

/**
 * Calls that take effect one after the other. What is not resolved may be done already as far as a crash is concerned,
 * but only in order:
 *
 * ```
 *   called:   a b c d e f g
 *   resolved: a b c             done
 *   crash:            d e       a random number of those that follow: done as well
 *                         f g   never happened
 * ```
 */
export class SimulatedLane {
  readonly #simulation: Simulation
  #pending: PendingStep[] = []
  #idle: (() => void)[] = []

  constructor(simulation: Simulation) {
    this.#simulation = simulation
    simulation.addLane(this)
  }

  run<T>(step: SimulatedStep<T>): T | Promise<T> {
    const simulation = this.#simulation
    if (simulation.isCrashed) return new Promise<T>(() => {})
    const latencyMs = simulation.latencyMs(step.operation)
    if (latencyMs === 0 && this.#pending.length === 0 && !simulation.isHeld) {
      return finish(step)
    }
    return new Promise<T>((resolve, reject) => {
      const pending: PendingStep = { step, resolve, reject, isReady: false }
      this.#pending.push(pending)
      simulation.after(latencyMs, () => {
        pending.isReady = true
        this.drain()
      })
    })
  }

  /** Resolves once nothing is under way. */
  whenIdle(): Promise<void> {
    if (this.#pending.length === 0 && !this.#simulation.isCrashed) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  drain(): void {
    while (this.#pending.length > 0 && this.#pending[0].isReady && !this.#simulation.isHeld) {
      const { step, resolve, reject } = this.#pending.shift() as PendingStep
      try {
        resolve(finish(step) as never)
      } catch (error) {
        reject(error)
      }
    }
    if (this.#pending.length > 0) return
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** The crash: some of what is under way is done, in order, and nobody will hear of it. */
  land(): void {
    const landed = Math.floor(this.#simulation.random() * (this.#pending.length + 1))
    for (const { step } of this.#pending.slice(0, landed)) {
      if (step.fault === null) step.effect()
      else step.failed?.(step.fault)
    }
    this.#pending = []
  }
}

function finish<T>(step: SimulatedStep<T>): T {
  if (step.fault === null) return step.effect()
  step.failed?.(step.fault)
  throw new BrokerError(step.fault, `simulated failure of ${step.operation}`)
}

/** What may run out of room; everything may fail to be read or written. */
const GROWING: ReadonlySet<SimulatedOperation> = new Set(['writeCatalogue', 'takeLeases', 'append', 'saveCursor'])

/** For {@link SimulationOptions.fault}: each call fails with this probability, in one of the ways that the contract names for it. */
export function randomFaults(
  random: Random,
  probability: number,
): (operation: SimulatedOperation) => SimulatedFault | null {
  return (operation) => {
    if (random() >= probability) return null
    return GROWING.has(operation) && random() < 0.5 ? 'E_STORAGE_FULL' : 'E_STORAGE_IO'
  }
}
