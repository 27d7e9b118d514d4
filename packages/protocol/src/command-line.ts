const SPACE = 0x20
/** How many arguments any command looks at. */
const ARGS_KEPT = 2
const ZERO = 0x30
const NO_BYTES = Buffer.alloc(0)

/**
 * One command line, cut at each single space: the command's name, then its arguments. Two spaces in a row make an
 * empty argument. Holds positions in the bytes that were read, not copies: valid until the next {@link parse}.
 */
export class CommandLine {
  bytes: Buffer = NO_BYTES
  nameStart = 0
  nameEnd = 0
  argCount = 0
  /** Arguments past those that any command looks at are counted, not remembered. */
  readonly #starts = new Int32Array(ARGS_KEPT)
  readonly #ends = new Int32Array(ARGS_KEPT)

  /** Takes the line `bytes[start, end)`, without its line end. */
  parse(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.nameStart = start
    this.nameEnd = wordEnd(bytes, start, end)
    this.argCount = 0
    for (let at = this.nameEnd; at < end; ) {
      const argStart = at + 1
      at = wordEnd(bytes, argStart, end)
      if (this.argCount < ARGS_KEPT) {
        this.#starts[this.argCount] = argStart
        this.#ends[this.argCount] = at
      }
      this.argCount++
    }
  }

  /** The name as a byte string: one character per byte. */
  get name(): string {
    return this.bytes.toString('latin1', this.nameStart, this.nameEnd)
  }

  isNamed(name: Uint8Array): boolean {
    return regionEquals(this.bytes, this.nameStart, this.nameEnd, name)
  }

  /** Where argument `index` lies in {@link bytes}. */
  argStart(index: number): number {
    return this.#starts[index]
  }

  argSizeBytes(index: number): number {
    return this.#ends[index] - this.#starts[index]
  }

  /** Argument `index` as a byte string: one character per byte. */
  arg(index: number): string {
    return this.bytes.toString('latin1', this.#starts[index], this.#ends[index])
  }

  argEquals(index: number, value: Uint8Array): boolean {
    return regionEquals(this.bytes, this.#starts[index], this.#ends[index], value)
  }

  /** The digits of argument `index`, without zeros in front. */
  argDigits(index: number): string {
    return this.arg(index).replace(/^0+(?=.)/, '')
  }

  /**
   * Argument `index` as a number: digits only, none at all is 0. `NaN` for anything else; above 2^53 it is no longer
   * exact, and far above any limit.
   */
  argNumber(index: number): number {
    let value = 0
    for (let at = this.#starts[index]; at < this.#ends[index]; at++) {
      const digit = this.bytes[at] - ZERO
      if (digit < 0 || digit > 9) return Number.NaN
      value = value * 10 + digit
    }
    return value
  }
}

function wordEnd(bytes: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== SPACE) at++
  return at
}

function regionEquals(bytes: Uint8Array, start: number, end: number, value: Uint8Array): boolean {
  if (end - start !== value.length) return false
  for (let index = 0; index < value.length; index++) if (bytes[start + index] !== value[index]) return false
  return true
}
