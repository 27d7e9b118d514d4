import type { Clock } from '@spillway/core'

/** Has something to do once at the end of this turn of the event loop. */
export interface TurnTask {
  /** Owned by the {@link TurnQueue}: whether it waits there. */
  isQueued: boolean
  endTurn(): void
}

/** Tasks may take this long in one turn; then sockets are read before the rest have theirs. */
const TURN_MS_MAX = 5
/** How often the clock is asked, in tasks. */
const TASKS_PER_LOOK = 16

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
    const startedMs = this.#clock.monotonicMs()
    let done = 0
    while (done < tasks.length) {
      const task = tasks[done++]
      task.isQueued = false
      task.endTurn()
      if (done % TASKS_PER_LOOK === 0 && this.#clock.monotonicMs() - startedMs > TURN_MS_MAX) break
    }
    if (done < tasks.length) this.#postpone(tasks, done)
    tasks.length = 0
    this.#spare = tasks
  }

  /** Thousands of publishers may go on at once when storage has caught up, each with a read of its own to work off. */
  #postpone(tasks: readonly TurnTask[], done: number): void {
    const rest = tasks.slice(done)
    this.#clock.inNextTurn(() => {
      for (const task of rest) {
        task.isQueued = false
        this.add(task)
      }
    })
  }
}
