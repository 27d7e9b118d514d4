const LENGTH_BYTES = 4
/** What nsqlookupd says is `OK`, an error, or a line about itself. */
const ANSWER_BYTES_MAX = 64 * 1024
/** The beginning of an HTTP answer, read as a length. */
const HTTP_LENGTH = Buffer.from('HTTP').readInt32BE()
const NOTHING = Buffer.alloc(0)

/**
 * Cuts what an nsqlookupd sends into its answers, which have no type:
 *
 * ```
 *   | length: int32, big-endian | text |
 * ```
 */
export class AnswerReader {
  #rest: Buffer = NOTHING

  /** @returns the answers that are whole now. @throws Error at a length that no answer has; it is not to be read on */
  read(bytes: Buffer): string[] {
    const held = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    const answers: string[] = []
    let at = 0
    while (held.length - at >= LENGTH_BYTES) {
      const length = held.readInt32BE(at)
      if (length === HTTP_LENGTH)
        throw new Error('that is an HTTP port: nsqlookupd listens for nodes on another one, 4160 by default')
      if (length < 0 || length > ANSWER_BYTES_MAX) throw new Error(`it sent an answer of ${length} bytes`)
      const end = at + LENGTH_BYTES + length
      if (end > held.length) break
      answers.push(held.toString('utf8', at + LENGTH_BYTES, end))
      at = end
    }
    this.#rest = at === held.length ? NOTHING : Buffer.from(held.subarray(at))
    return answers
  }
}
