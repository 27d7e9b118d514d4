/**
 * Work for whoever asks, one piece at a time. Those who ask while it is being done share the next piece, since it begins
 * after they asked: it shows what they have done before.
 */
export class SharedWork<T> {
  readonly #work: () => Promise<T>
  #current: Promise<T> | null = null
  #next: Promise<T> | null = null

  constructor(work: () => Promise<T>) {
    this.#work = work
  }

  get isIdle(): boolean {
    return this.#current === null
  }

  run(): Promise<T> {
    if (this.#current === null) return this.#begin()
    this.#next ??= this.#current.then(
      () => this.#beginNext(),
      () => this.#beginNext(),
    )
    return this.#next
  }

  #beginNext(): Promise<T> {
    this.#next = null
    return this.#begin()
  }

  #begin(): Promise<T> {
    const current = this.#work().finally(() => {
      if (this.#next === null) this.#current = null
    })
    this.#current = current
    return current
  }
}
