/** Go's decoder gives up on values that are nested deeper. */
const DEPTH_MAX = 10_000

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

/** Told of each member of the outermost object, in order. `value` is the JSON text. */
export type JsonMember = (key: string, kind: JsonKind, value: string) => void

/**
 * Reads one JSON text, which must be an object or `null`, and nothing but white space around it. A scan rather than
 * `JSON.parse`: whether a number was written as `2000`, `2e3` or `2000.0` makes a difference to Go, and megabytes of
 * nested values that nobody asked for cost no objects.
 *
 * @returns whether the text was as it must be; members are told until the first mistake.
 */
export function readJsonMembers(text: string, member: JsonMember): boolean {
  const scanner = new JsonScanner(text)
  scanner.skipSpace()
  const isRead = text[scanner.at] === '{' ? scanner.readObject(member) : scanner.readWord('null')
  scanner.skipSpace()
  return isRead && scanner.at === text.length
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const SPACE = /[ \t\n\r]*/y
const WORDS = ['true', 'false', 'null']
const QUOTE = 0x22
const BACKSLASH = 0x5c
const FIRST_PRINTABLE = 0x20
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

class JsonScanner {
  at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  skipSpace(): void {
    this.#match(SPACE)
  }

  readWord(word: string): boolean {
    if (!this.#text.startsWith(word, this.at)) return false
    this.at += word.length
    return true
  }

  readObject(member: JsonMember): boolean {
    this.at++
    this.skipSpace()
    if (this.#skipChar('}')) return true
    for (;;) {
      const key = this.#readKey()
      if (key === null) return false
      const start = this.at
      const kind = this.#kind()
      if (!this.#skipValue()) return false
      member(key, kind, this.#text.slice(start, this.at))
      this.skipSpace()
      if (this.#skipChar('}')) return true
      if (!this.#skipChar(',')) return false
      this.skipSpace()
    }
  }

  /** A key with its colon, decoded; leaves off where the value begins. */
  #readKey(): string | null {
    const start = this.at
    if (!this.#skipString()) return null
    const key: string = JSON.parse(this.#text.slice(start, this.at))
    this.skipSpace()
    if (!this.#skipChar(':')) return null
    this.skipSpace()
    return key
  }

  #kind(): JsonKind {
    const first = this.#text[this.at]
    if (first === '{') return 'object'
    if (first === '[') return 'array'
    if (first === '"') return 'string'
    if (first === 'n') return 'null'
    return first === 't' || first === 'f' ? 'boolean' : 'number'
  }

  /** Passes one value of any kind, without recursion: a peer may nest as deep as its body is long. */
  #skipValue(): boolean {
    const closers: string[] = []
    do {
      const closer = this.#text[this.at] === '{' ? '}' : this.#text[this.at] === '[' ? ']' : ''
      if (closer === '') {
        if (!this.#skipScalar()) return false
      } else {
        if (closers.length === DEPTH_MAX) return false
        this.at++
        this.skipSpace()
        if (!this.#skipChar(closer)) {
          closers.push(closer)
          if (closer === '}' && this.#readKey() === null) return false
          continue
        }
      }
      if (!this.#skipEnds(closers)) return false
    } while (closers.length > 0)
    return true
  }

  /** Behind a value: closes what ends with it, and passes on to the next value of what does not. */
  #skipEnds(closers: string[]): boolean {
    while (closers.length > 0) {
      const closer = closers[closers.length - 1]
      this.skipSpace()
      if (this.#skipChar(closer)) {
        closers.pop()
        continue
      }
      if (!this.#skipChar(',')) return false
      this.skipSpace()
      return closer === ']' || this.#readKey() !== null
    }
    return true
  }

  #skipString(): boolean {
    const text = this.#text
    if (text.charCodeAt(this.at) !== QUOTE) return false
    this.at++
    while (this.at < text.length) {
      const code = text.charCodeAt(this.at)
      if (code === BACKSLASH) {
        if (!this.#match(ESCAPE)) return false
      } else {
        if (code < FIRST_PRINTABLE) return false
        this.at++
        if (code === QUOTE) return true
      }
    }
    return false
  }

  #skipScalar(): boolean {
    if (this.#text[this.at] === '"') return this.#skipString()
    return WORDS.some((word) => this.readWord(word)) || this.#match(NUMBER)
  }

  #skipChar(char: string): boolean {
    if (this.#text[this.at] !== char) return false
    this.at++
    return true
  }

  #match(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    if (!pattern.test(this.#text)) return false
    this.at = pattern.lastIndex
    return true
  }
}
