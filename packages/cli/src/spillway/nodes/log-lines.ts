import type { LogFormat } from '../../log/open-logger.js'

/** A longer line is written in pieces. */
const LINE_CHARS_MAX = 65_536

/** Cuts what a node writes into lines. Holds at most one unfinished line. */
export class LineSplitter {
  readonly #take: (line: string) => void
  #rest = ''

  /** @param take - gets each line, without its end */
  constructor(take: (line: string) => void) {
    this.#take = take
  }

  push(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() as string
    for (const line of lines) this.#take(this.#withoutPieces(line))
    this.#rest = this.#withoutPieces(this.#rest)
  }

  /** What has no end is a line, too. */
  end(): void {
    if (this.#rest !== '') this.#take(this.#rest)
    this.#rest = ''
  }

  /** Gives away what is too long for one line. @returns what is left of it */
  #withoutPieces(text: string): string {
    let at = 0
    for (; text.length - at > LINE_CHARS_MAX; at += LINE_CHARS_MAX) this.#take(text.slice(at, at + LINE_CHARS_MAX))
    return text.slice(at)
  }
}

/**
 * A line of a node, as the log of all nodes has it: with its name in front, or as the first field. What is no JSON in a log
 * of JSON (a stack, what a library prints) becomes the message of one.
 */
export function nameLine(format: LogFormat, name: string, line: string, now: Date): string {
  if (format === 'text') return `[${name}] ${line}\n`
  if (line.startsWith('{"') && line.endsWith('}')) return `{"node":${JSON.stringify(name)},${line.slice(1)}\n`
  return `${JSON.stringify({ node: name, level: 'error', time: now.toISOString(), msg: line })}\n`
}
