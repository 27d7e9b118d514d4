/** Go's decoder gives up on values that are nested deeper. */
const DEPTH_MAX = 10_000

/** Told of the members of the outermost object, in order. */
export interface JsonMemberSink {
  /** The key `bytes[start, end)`, with its quotes. */
  key(bytes: Buffer, start: number, end: number): void
  /** The value of the key told before, `bytes[start, end)`. */
  value(bytes: Buffer, start: number, end: number): void
}

/** What the next byte may be. A number that may end is followed by what follows a value. */
const State = {
  first: 0, // the text begins: an object or null
  value: 1,
  valueOrEnd: 2, // behind "["
  keyOrEnd: 3, // behind "{"
  key: 4, // behind "," in an object
  colon: 5,
  afterValue: 6,
  string: 7,
  escape: 8,
  hex: 9,
  word: 10,
  minus: 11,
  zero: 12,
  integer: 13,
  point: 14,
  fraction: 15,
  exponent: 16,
  exponentSign: 17,
  exponentDigits: 18,
  done: 19, // nothing but white space any more
  bad: 20,
} as const
type State = (typeof State)[keyof typeof State]

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OBJECT = 0x7b
const OBJECT_END = 0x7d
const ARRAY = 0x5b
const ARRAY_END = 0x5d
const FIRST_IN_STRING = 0x20
const HEX_DIGIT_COUNT = 4
const ESCAPED = bytesIn('"\\/bfnrt')
const HEX_DIGITS = bytesIn('0123456789abcdefABCDEF')
const DIGITS = bytesIn('0123456789')
const SPACES = bytesIn(' \t\n\r')
const WORDS: readonly Buffer[] = [Buffer.from('true'), Buffer.from('false'), Buffer.from('null')]

/**
 * Checks a JSON text, an object or `null`, while it arrives, and tells its members. Megabytes that nobody asked for cost
 * no objects, and no pause at their end. A number is told as it was written, since `2000`, `2e3` and `2000.0` are not
 * the same to Go.
 */
export class JsonScanner {
  readonly #sink: JsonMemberSink
  #state: State = State.first
  /** Where in the text the scanner is, and where the value or key at hand began. */
  #at = 0
  #keyStart = 0
  #valueStart = 0
  /** What encloses the byte at hand: the byte that ends it, outermost first. */
  readonly #closers: number[] = []
  #isKey = false
  #hexLeft = 0
  #word = WORDS[0]
  #wordAt = 0

  constructor(sink: JsonMemberSink) {
    this.#sink = sink
  }

  /** Goes on to the end of what has arrived: the first `haveBytes` of the text, from `bytes[start]`. */
  advance(bytes: Buffer, start: number, haveBytes: number): void {
    while (this.#at < haveBytes && this.#state !== State.bad) {
      if (this.#state === State.string) this.#passString(bytes, start, haveBytes)
      else this.#step(bytes, start, bytes[start + this.#at])
    }
  }

  /** Whether all that has arrived is one whole text. */
  get isWhole(): boolean {
    return this.#state === State.done
  }

  /** One byte. A byte that ends a number is looked at a second time, as what follows a value. */
  #step(bytes: Buffer, start: number, byte: number): void {
    if (this.#state >= State.minus && this.#state <= State.exponentDigits) {
      const next = numberState(this.#state, byte)
      if (next === State.afterValue) this.#endValue(bytes, start, this.#at)
      else this.#go(next)
      return
    }
    this.#at++
    switch (this.#state) {
      case State.escape:
        if (byte === 0x75) this.#hexLeft = HEX_DIGIT_COUNT
        this.#state = byte === 0x75 ? State.hex : ESCAPED[byte] === 1 ? State.string : State.bad
        return
      case State.hex:
        this.#state = HEX_DIGITS[byte] === 0 ? State.bad : --this.#hexLeft === 0 ? State.string : State.hex
        return
      case State.word:
        if (byte !== this.#word[this.#wordAt]) this.#state = State.bad
        else if (++this.#wordAt === this.#word.length) this.#endValue(bytes, start, this.#at)
        return
      default:
        if (SPACES[byte] === 0) this.#token(bytes, start, byte)
    }
  }

  #go(state: State): void {
    this.#state = state
    this.#at++
  }

  /** A byte between values, keys and what separates them. */
  #token(bytes: Buffer, start: number, byte: number): void {
    switch (this.#state) {
      case State.first:
        if (byte === OBJECT || byte === 0x6e) this.#beginValue(byte)
        else this.#state = State.bad
        return
      case State.valueOrEnd:
        if (byte === ARRAY_END) this.#close(bytes, start, byte)
        else this.#beginValue(byte)
        return
      case State.value:
        this.#beginValue(byte)
        return
      case State.keyOrEnd:
      case State.key:
        if (byte === QUOTE) this.#beginKey()
        else if (this.#state === State.keyOrEnd) this.#close(bytes, start, byte)
        else this.#state = State.bad
        return
      case State.colon:
        this.#state = byte === COLON ? State.value : State.bad
        return
      case State.afterValue:
        if (byte !== COMMA) this.#close(bytes, start, byte)
        else this.#state = this.#closers[this.#closers.length - 1] === OBJECT_END ? State.key : State.value
        return
      default:
        this.#state = State.bad
    }
  }

  #beginKey(): void {
    this.#isKey = true
    this.#state = State.string
    if (this.#closers.length === 1) this.#keyStart = this.#at - 1
  }

  #beginValue(byte: number): void {
    if (this.#closers.length === 1) this.#valueStart = this.#at - 1
    if (byte === QUOTE) {
      this.#isKey = false
      this.#state = State.string
    } else if (byte === OBJECT || byte === ARRAY) {
      this.#closers.push(byte === OBJECT ? OBJECT_END : ARRAY_END)
      this.#state = byte === OBJECT ? State.keyOrEnd : State.valueOrEnd
      if (this.#closers.length > DEPTH_MAX) this.#state = State.bad
    } else if (byte === 0x2d) {
      this.#state = State.minus
    } else if (DIGITS[byte] === 1) {
      this.#state = byte === 0x30 ? State.zero : State.integer
    } else {
      this.#beginWord(byte)
    }
  }

  #beginWord(byte: number): void {
    const word = WORDS.find((candidate) => candidate[0] === byte)
    this.#state = word === undefined ? State.bad : State.word
    this.#word = word ?? this.#word
    this.#wordAt = 1
  }

  #close(bytes: Buffer, start: number, byte: number): void {
    if (this.#closers.pop() === byte) this.#endValue(bytes, start, this.#at)
    else this.#state = State.bad
  }

  /** A value ended before position `end` of the text. */
  #endValue(bytes: Buffer, start: number, end: number): void {
    const depth = this.#closers.length
    this.#state = depth === 0 ? State.done : State.afterValue
    if (depth === 1 && this.#closers[0] === OBJECT_END) this.#sink.value(bytes, start + this.#valueStart, start + end)
  }

  /** The inside of a string, as far as it has arrived. */
  #passString(bytes: Buffer, start: number, haveBytes: number): void {
    const end = start + haveBytes
    let at = start + this.#at
    while (at < end && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH && bytes[at] >= FIRST_IN_STRING) at++
    this.#at = at - start
    if (at === end) return
    this.#at++
    if (bytes[at] === BACKSLASH) this.#state = State.escape
    else if (bytes[at] !== QUOTE) this.#state = State.bad
    else if (this.#isKey) this.#endKey(bytes, start)
    else this.#endValue(bytes, start, this.#at)
  }

  #endKey(bytes: Buffer, start: number): void {
    this.#state = State.colon
    if (this.#closers.length === 1) this.#sink.key(bytes, start + this.#keyStart, start + this.#at)
  }
}

/** Where `byte` leads inside a number; `afterValue` when the number ends before it. */
function numberState(state: State, byte: number): State {
  const isDigit = DIGITS[byte] === 1
  switch (state) {
    case State.minus:
      return byte === 0x30 ? State.zero : isDigit ? State.integer : State.bad
    case State.point:
      return isDigit ? State.fraction : State.bad
    case State.exponent:
      return byte === 0x2b || byte === 0x2d ? State.exponentSign : isDigit ? State.exponentDigits : State.bad
    case State.exponentSign:
      return isDigit ? State.exponentDigits : State.bad
    default: // the number may end here, or go on
      if (isDigit && state !== State.zero) return state
      if (byte === 0x2e && (state === State.zero || state === State.integer)) return State.point
      return (byte === 0x65 || byte === 0x45) && state !== State.exponentDigits ? State.exponent : State.afterValue
  }
}

function bytesIn(characters: string): Uint8Array {
  const table = new Uint8Array(256)
  for (const byte of Buffer.from(characters)) table[byte] = 1
  return table
}
