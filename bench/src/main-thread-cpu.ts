import { openSync, readSync } from 'node:fs'

const SPACE = 0x20
const ZERO = 0x30

/**
 * Reads the main thread's processor time; a microsecond a call, so that a turn of the event loop can be measured. The
 * kernel brings the number up to date at its own tick and whenever the thread waits: one reading may be 4 ms old.
 */
export class MainThreadCpu {
  readonly #fd = openSync('/proc/self/schedstat', 'r')
  readonly #line = Buffer.alloc(64)

  readNs(): number {
    const length = readSync(this.#fd, this.#line, 0, this.#line.length, 0)
    let ns = 0
    for (let i = 0; i < length && this.#line[i] !== SPACE; i++) ns = ns * 10 + this.#line[i] - ZERO
    return ns
  }
}
