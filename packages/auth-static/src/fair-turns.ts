interface Waiter {
  readonly enter: () => void
  readonly refuse: () => void
}

/**
 * Lets a few in at the same time. The others wait, within a bound, and whoever comes from one place gives way to whoever
 * comes from another: places have their turns one after the other, and when there is no room, the place that has most waiting
 * loses the last of them. So somebody who tries out secrets keeps out those beside them, not everybody.
 */
export class FairTurns {
  readonly #waitingMax: number
  /** By place; the first has the next turn. None is empty. */
  readonly #queues = new Map<string, Waiter[]>()
  #waitingCount = 0
  #free: number

  constructor(countMax: number, waitingMax: number) {
    this.#free = countMax
    this.#waitingMax = waitingMax
  }

  /** @returns true when it is one's turn, to be followed by {@link give}; false when there is no room to wait */
  async take(place: string): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--
      return true
    }
    if (this.#waitingCount >= this.#waitingMax && !this.#makeRoomFor(place)) return false
    return new Promise((resolve) => {
      const waiter = { enter: () => resolve(true), refuse: () => resolve(false) }
      const queue = this.#queues.get(place)
      if (queue === undefined) this.#queues.set(place, [waiter])
      else queue.push(waiter)
      this.#waitingCount++
    })
  }

  give(): void {
    const next = this.#queues.entries().next()
    if (next.done) {
      this.#free++
      return
    }
    const [place, queue] = next.value
    const waiter = queue.shift() as Waiter
    this.#waitingCount--
    this.#queues.delete(place)
    if (queue.length > 0) this.#queues.set(place, queue)
    waiter.enter()
  }

  #makeRoomFor(place: string): boolean {
    let longest: Waiter[] = []
    for (const queue of this.#queues.values()) if (queue.length > longest.length) longest = queue
    const own = this.#queues.get(place)?.length ?? 0
    if (longest.length <= own + 1) return false
    longest.pop()?.refuse()
    this.#waitingCount--
    return true
  }
}
