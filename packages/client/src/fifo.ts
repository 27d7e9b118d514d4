/** A queue whose front is found by counting, in one array; what was taken is let go now and then, all at once. */
const TAKEN_MAX = 1024

export class Fifo<T> {
  #items: (T | undefined)[] = []
  #taken = 0

  get length(): number {
    return this.#items.length - this.#taken
  }

  push(item: T): void {
    this.#items.push(item)
  }

  /** Undefined when there is none. */
  peek(): T | undefined {
    return this.#items[this.#taken]
  }

  /** Undefined when there is none. */
  shift(): T | undefined {
    if (this.#taken === this.#items.length) return undefined
    const item = this.#items[this.#taken]
    this.#items[this.#taken++] = undefined
    if (this.#taken === this.#items.length) {
      this.#items = []
      this.#taken = 0
    } else if (this.#taken >= TAKEN_MAX && this.#taken * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#taken)
      this.#taken = 0
    }
    return item
  }

  /** Before everything else, in the order given. */
  unshift(items: readonly T[]): void {
    this.#items = [...items, ...this.#items.slice(this.#taken)]
    this.#taken = 0
  }

  /** All of them; none are left. */
  drain(): T[] {
    const items = this.#items.slice(this.#taken) as T[]
    this.#items = []
    this.#taken = 0
    return items
  }
}
