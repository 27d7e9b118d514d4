import { parseArgs } from 'node:util'
import { UsageError } from './options.js'

type Values = Readonly<Record<string, string | boolean | undefined>>

/** The options of a command line: each given once, with a text or without. */
export class CommandLine {
  readonly #values: Values

  /**
   * @param texts - names of options that have a value
   * @param switches - names of those that have none; `help` is one of them in any case
   * @throws UsageError
   */
  constructor(args: readonly string[], texts: readonly string[], switches: readonly string[] = []) {
    const options = Object.fromEntries([
      ...texts.map((name) => [name, { type: 'string' }] as const),
      ...[...switches, 'help'].map((name) => [name, { type: 'boolean' }] as const),
    ])
    try {
      this.#values = parseArgs({ args: [...args], options }).values as Values
    } catch (error) {
      throw new UsageError((error as Error).message)
    }
  }

  isGiven(name: string): boolean {
    return this.#values[name] === true
  }

  text(name: string): string | null {
    const value = this.#values[name]
    return typeof value === 'string' ? value : null
  }

  /** @throws UsageError unless it is a whole number of `min` or more */
  count(name: string, fallback: number, min = 1): number {
    const text = this.text(name)
    if (text === null) return fallback
    const number = Number(text)
    if (Number.isInteger(number) && number >= min) return number
    throw new UsageError(`--${name} is a whole number of ${min} or more, not ${text}`)
  }
}
