import { NsqError } from './errors.js'

export interface NumberRange {
  readonly min: number
  readonly max?: number
}

/** Reads options one by one and gathers what is wrong with them, so that all of it can be said at once. */
export class OptionReader {
  readonly #options: Readonly<Record<string, unknown>>
  readonly #read = new Set<string>()
  readonly #mistakes: string[] = []

  constructor(options: object) {
    this.#options = options as Record<string, unknown>
  }

  /** A whole number. */
  integer(name: string, { min, max = 2 ** 31 - 1 }: NumberRange, fallback: number): number {
    const value = this.take(name)
    if (value === undefined) return fallback
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number
    this.mistake(name, `a whole number from ${min} to ${max}`, value)
    return fallback
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.take(name)
    if (value === undefined || typeof value === 'boolean') return value ?? fallback
    this.mistake(name, 'true or false', value)
    return fallback
  }

  string(name: string, fallback: string): string {
    const value = this.take(name)
    if (value === undefined || typeof value === 'string') return value ?? fallback
    this.mistake(name, 'a string', value)
    return fallback
  }

  oneOf<T extends string>(name: string, values: readonly T[], fallback: T): T {
    const value = this.take(name)
    if (value === undefined) return fallback
    if (values.includes(value as T)) return value as T
    this.mistake(name, `one of ${values.map((each) => `'${each}'`).join(', ')}`, value)
    return fallback
  }

  /** Null when there is none. */
  callback<T>(name: string): T | null {
    const value = this.take(name)
    if (value === undefined) return null
    if (typeof value === 'function') return value as T
    this.mistake(name, 'a function', value)
    return null
  }

  /** One string under `name`, or several under `names`; none when neither is there. */
  stringOrSeveral(name: string, names: string): readonly string[] {
    const one = this.take(name)
    const several = this.take(names)
    if (one !== undefined && several !== undefined) this.#mistakes.push(`give ${name} or ${names}, not both`)
    if (one !== undefined) {
      if (typeof one === 'string') return [one]
      this.mistake(name, 'a string', one)
    } else if (several !== undefined) {
      if (Array.isArray(several) && several.length > 0 && several.every((each) => typeof each === 'string')) {
        return [...new Set(several as string[])]
      }
      this.mistake(names, 'an array of at least one string', several)
    }
    return []
  }

  take(name: string): unknown {
    this.#read.add(name)
    return this.#options[name]
  }

  mistake(name: string, expected: string, value: unknown): void {
    this.#mistakes.push(
      value === undefined ? `${name} must be ${expected}` : `${name} must be ${expected}, not ${shown(value)}`,
    )
  }

  /** Anything else that is wrong. */
  complain(line: string): void {
    this.#mistakes.push(line)
  }

  /** @throws NsqError `E_INVALID_OPTION` with a line for each mistake, also for options that nobody has read */
  finish(): void {
    for (const name of Object.keys(this.#options)) {
      if (!this.#read.has(name)) this.#mistakes.push(`there is no option ${name}${this.#suggestion(name)}`)
    }
    if (this.#mistakes.length > 0) throw new NsqError('E_INVALID_OPTION', this.#mistakes.join('\n'))
  }

  #suggestion(name: string): string {
    const wanted = name.toLowerCase().replace(/_/g, '')
    const near = [...this.#read].find((known) => {
      const lower = known.toLowerCase()
      return lower.startsWith(wanted) || wanted.startsWith(lower) || distance(lower, wanted) <= 2
    })
    return near === undefined ? '' : `; did you mean ${near}?`
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty array' : 'an array of something else'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

/** How many characters have to be added, dropped or changed. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(change, row[j] + 1, next[j - 1] + 1))
    }
    row = next
  }
  return row[to.length]
}
