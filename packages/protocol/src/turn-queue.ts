import type { Clock } from '@spillway/core'

/** Has something to do once at the end of this turn of the event loop. */
export interface TurnTask {
  /** Owned by the {@link TurnQueue}: whether it waits there. */
  isQueued: boolean
  endTurn(): void
}

/** Gathers the sessions that have something to send, so that a turn costs one callback however many they are. */
export class TurnQueue {
  readonly #clock: Clock
  #tasks: TurnTask[] = []
  #spare: TurnTask[] = []
  readonly #run = (): void => this.#endTurn()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `task.endTurn()` once at the end of this turn. */
  add(task: TurnTask): void {
    if (task.isQueued) return
    task.isQueued = true
    if (this.#tasks.push(task) === 1) this.#clock.atEndOfTurn(this.#run)
  }

  #endTurn(): void {
    const tasks = this.#tasks
    this.#tasks = this.#spare
    for (const task of tasks) {
      task.isQueued = false
      task.endTurn()
    }
    tasks.length = 0
    this.#spare = tasks
  }
}
