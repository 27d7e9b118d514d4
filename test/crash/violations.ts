const EXAMPLES_MAX = 5

/** What a run found wrong: each kind is counted, the first few are told in full. */
export class Violations {
  readonly #kinds = new Map<string, { count: number; readonly examples: string[] }>()

  add(kind: string, detail: string, count = 1): void {
    const found = this.#kinds.get(kind) ?? { count: 0, examples: [] }
    this.#kinds.set(kind, found)
    found.count += count
    if (found.examples.length < EXAMPLES_MAX) found.examples.push(detail)
  }

  get isEmpty(): boolean {
    return this.#kinds.size === 0
  }

  countOf(kind: string): number {
    return this.#kinds.get(kind)?.count ?? 0
  }

  /** One line for each kind and for each of its examples. */
  lines(): string[] {
    return [...this.#kinds].flatMap(([kind, { count, examples }]) => [
      `${kind}: ${count}`,
      ...examples.map((example) => `  ${example}`),
    ])
  }
}
