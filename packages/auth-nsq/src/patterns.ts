import { RE2JS } from 're2js'

/** A pattern of some hundred names is not longer. */
const PATTERN_LENGTH_MAX = 4_096
/** What the compiled patterns of an answer may come to, in instructions of some 100 bytes that take 2 µs each to make. */
const ANSWER_SIZE_MAX = 100_000
/** Patterns of an answer, equal ones included: each is looked at when a name is looked for. */
const ANSWER_PATTERNS_MAX = 4_096
/** The same of all that are remembered. */
const REMEMBERED_SIZE_MAX = 2 * ANSWER_SIZE_MAX
/** What making a pattern costs, whatever its size, in instructions. */
const PATTERN_COST = 100
/** After so many instructions, some 4 ms, others have their turn. */
const SLICE_SIZE = 2_000

/** Compiled patterns: those of one client's answer are mostly those of the next one's. */
export class Patterns {
  readonly #remembered = new Map<string, RE2JS>()
  #size = 0

  recall(text: string): RE2JS | undefined {
    return this.#remembered.get(text)
  }

  /** @throws Error when it is no pattern, or too long */
  compile(text: string): RE2JS {
    if (text.length > PATTERN_LENGTH_MAX) throw new Error('too long')
    const pattern = RE2JS.compile(text)
    this.#size += pattern.programSize()
    if (this.#size > REMEMBERED_SIZE_MAX) {
      this.#remembered.clear()
      this.#size = pattern.programSize()
    }
    this.#remembered.set(text, pattern)
    return pattern
  }
}

/** The patterns of one answer, made without keeping the event loop, and within bounds. */
export class AnswerPatterns {
  readonly #patterns: Patterns
  readonly #own = new Set<RE2JS>()
  #count = 0
  #size = 0
  #sliceSize = 0

  constructor(patterns: Patterns) {
    this.#patterns = patterns
  }

  /** @param place - in the answer, for messages @throws Error that quotes nothing */
  async get(text: string, place: string): Promise<RE2JS> {
    this.#count++
    if (this.#count > ANSWER_PATTERNS_MAX) throw new Error(`it has more than ${ANSWER_PATTERNS_MAX} patterns`)
    const pattern = this.#patterns.recall(text) ?? (await this.#compile(text, place))
    if (this.#own.has(pattern)) return pattern
    this.#own.add(pattern)
    this.#size += pattern.programSize()
    if (this.#size > ANSWER_SIZE_MAX) throw new Error('its patterns are too large')
    return pattern
  }

  async #compile(text: string, place: string): Promise<RE2JS> {
    if (this.#sliceSize >= SLICE_SIZE) {
      this.#sliceSize = 0
      await new Promise((resolve) => setImmediate(resolve))
    }
    try {
      const pattern = this.#patterns.compile(text)
      this.#sliceSize += PATTERN_COST + pattern.programSize()
      return pattern
    } catch {
      throw new Error(`${place} is no pattern of RE2, or has more than ${PATTERN_LENGTH_MAX} letters`)
    }
  }
}
