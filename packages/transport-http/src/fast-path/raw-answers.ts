import { STATUS_CODES } from 'node:http'
import type { Clock } from '@spillway/core'
import { CLOSE, type HeaderList, jsonHeaders, OK, toGoJson } from '@spillway/http'

/** Answers as node:http writes them, byte for byte. */
export class RawAnswers {
  readonly #clock: Clock
  readonly #keepAlive: HeaderList
  /** The answer that nearly all get, of this second. */
  #ok = ''
  #okSecond = Number.NaN

  constructor(clock: Clock, keepAliveTimeoutMs: number) {
    this.#clock = clock
    const timeout = `timeout=${Math.floor(keepAliveTimeoutMs / 1000)}`
    this.#keepAlive = ['Connection', 'keep-alive', ...(keepAliveTimeoutMs === 0 ? [] : ['Keep-Alive', timeout])]
  }

  /** @param isLast - says that the connection ends with it */
  ok(isLast: boolean): string {
    if (isLast) return this.#format(200, OK, 'OK', isLast)
    const second = Math.floor(this.#clock.wallMs() / 1000)
    if (second !== this.#okSecond) {
      this.#ok = this.#format(200, OK, 'OK', isLast)
      this.#okSecond = second
    }
    return this.#ok
  }

  error(status: number, code: string, isLast: boolean): string {
    const json = toGoJson({ message: code })
    return this.#format(status, jsonHeaders(Buffer.byteLength(json)), json, isLast)
  }

  #format(status: number, headers: HeaderList, body: string, isLast: boolean): string {
    const date = new Date(this.#clock.wallMs()).toUTCString()
    const all = [...headers, 'Date', date, ...(isLast ? CLOSE : this.#keepAlive)]
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n`
    for (let index = 0; index < all.length; index += 2) text += `${all[index]}: ${all[index + 1]}\r\n`
    return `${text}\r\n${body}`
  }
}
