/** Where and how a text stops being JSON. */
export interface JsonSyntaxError {
  /** Counted from 1. */
  readonly line: number
  /** Counted from 1, in UTF-16 code units. */
  readonly column: number
  readonly found: string
  readonly expected: string
}

const WHITESPACE = /[ \t\r\n]*/y
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// JSON refuses control characters below U+0020 only.
const STRING = /"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy
const WORD = /true|false|null/y

/**
 * Finds what `JSON.parse` objects to: the messages of V8 change between versions and not all name a place.
 * @returns `null` when the text is JSON
 */
export function findJsonSyntaxError(text: string): JsonSyntaxError | null {
  const scanner = new JsonScanner(text)
  try {
    scanner.scanDocument()
    return null
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error
    const before = text.slice(0, error.offset).split('\n')
    const column = before[before.length - 1].length + 1
    return { line: before.length, column, found: foundAt(text, error.offset), expected: error.expected }
  }
}

/** A key that an object has twice, where it stands the second time: `JSON.parse` keeps the last one without a word. */
export interface RepeatedKey {
  readonly line: number
  readonly column: number
  readonly key: string
}

/** @param text - JSON */
export function findRepeatedKeys(text: string): RepeatedKey[] {
  const scanner = new JsonScanner(text)
  scanner.scanDocument()
  return scanner.repeatedKeys.map(({ offset, key }) => {
    const before = text.slice(0, offset).split('\n')
    return { line: before.length, column: before[before.length - 1].length + 1, key }
  })
}

function foundAt(text: string, offset: number): string {
  if (offset >= text.length) return 'the end of the file'
  if (text.startsWith('//', offset) || text.startsWith('/*', offset)) return 'a comment, which JSON does not have'
  const token = /^(?:[\w$.+-]+|"[^"\r\n]{0,30}"?|.)/su.exec(text.slice(offset, offset + 40))
  return JSON.stringify(token?.[0] ?? text[offset])
}

class Unexpected extends Error {
  constructor(
    readonly offset: number,
    readonly expected: string,
  ) {
    super(expected)
  }
}

/** Walks a document without building it. Depth is bounded by the stack: a deeper one is refused by whoever reads it. */
class JsonScanner {
  readonly repeatedKeys: { readonly offset: number; readonly key: string }[] = []
  private offset = 0

  constructor(private readonly text: string) {}

  scanDocument(): void {
    this.scanValue('a value')
    this.skipWhitespace()
    if (this.offset < this.text.length) throw new Unexpected(this.offset, 'the end of the file')
  }

  private scanValue(expected: string): void {
    this.skipWhitespace()
    const next = this.text[this.offset]
    if (next === '{') this.scanObject()
    else if (next === '[') this.scanArray()
    else if (next === '"') this.scanString(expected)
    else if (!this.take(NUMBER) && !this.take(WORD)) throw new Unexpected(this.offset, expected)
  }

  private scanObject(): void {
    this.offset++
    if (this.takeText('}')) return
    const keys = new Set<string>()
    do {
      this.skipWhitespace()
      const start = this.offset
      this.scanString('a key in double quotes')
      const key: string = JSON.parse(this.text.slice(start, this.offset))
      if (keys.has(key)) this.repeatedKeys.push({ offset: start, key })
      keys.add(key)
      if (!this.takeText(':')) throw new Unexpected(this.offset, '":"')
      this.scanValue('a value')
    } while (this.takeText(','))
    if (!this.takeText('}')) throw new Unexpected(this.offset, '"," or "}"')
  }

  private scanArray(): void {
    this.offset++
    if (this.takeText(']')) return
    do this.scanValue('a value')
    while (this.takeText(','))
    if (!this.takeText(']')) throw new Unexpected(this.offset, '"," or "]"')
  }

  private scanString(expected: string): void {
    if (this.take(STRING)) return
    const isString = this.text[this.offset] === '"'
    throw new Unexpected(this.offset, isString ? 'text that ends on its line, with escapes that JSON knows' : expected)
  }

  private takeText(text: string): boolean {
    this.skipWhitespace()
    if (!this.text.startsWith(text, this.offset)) return false
    this.offset += text.length
    return true
  }

  private skipWhitespace(): void {
    this.take(WHITESPACE)
  }

  private take(pattern: RegExp): boolean {
    pattern.lastIndex = this.offset
    if (!pattern.test(this.text)) return false
    this.offset = pattern.lastIndex
    return true
  }
}
