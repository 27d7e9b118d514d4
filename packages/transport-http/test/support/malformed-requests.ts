import type { Random } from '@spillway/core'
import { randomBelow } from '@spillway/core/testing'

const NAMES = [
  't',
  'topic',
  'a#ephemeral',
  'a%23ephemeral',
  '',
  '$',
  'x'.repeat(64),
  'x'.repeat(65),
  '%ff',
  '%zz',
  '+',
  'ü',
]
const PARAMS = ['topic', 'channel', 'defer', 'binary', 'format', 'include_mem', 'include_clients', '', '%00']
const VALUES = [...NAMES, '0', '1', '-1', '3600001', 'true', 'false', 'json', '1e3', '9'.repeat(30)]
const PATHS = [
  '/pub',
  '/mpub',
  '/stats',
  '/ping',
  '/info',
  '/topic/create',
  '/topic/delete',
  '/topic/pause',
  '/topic/empty',
  '/channel/create',
  '/channel/unpause',
  '/channel/delete',
  '/PUB/',
  '//mpub',
  '/nowhere',
  '/%70ub',
  '/%zz',
  '*',
  'http://elsewhere/pub',
]
const METHODS = ['GET', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'BREW', 'post']
const SEPARATORS = ['&', '&', '&', ';', '?', '=']

/** Requests that are nearly right: the same for the same `random`. */
export class MalformedRequests {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** Some requests for one connection, possibly spoilt. */
  next(): Buffer {
    const requests = Buffer.concat(Array.from({ length: 1 + this.#below(3) }, () => this.#request()))
    return this.#below(3) === 0 ? requests : this.#spoil(requests)
  }

  #request(): Buffer {
    const body = this.#body()
    const head = `${this.#pick(METHODS)} ${this.#pick(PATHS)}${this.#query()} HTTP/1.1\r\nHost: test\r\n`
    switch (this.#below(5)) {
      case 0:
        return Buffer.concat([Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`, 'latin1'), this.#chunks(body)])
      case 1:
        return Buffer.concat([Buffer.from(`${head}Content-Length: ${this.#below(100)}\r\n\r\n`, 'latin1'), body])
      case 2:
        return Buffer.from(`${head}\r\n`, 'latin1')
      default:
        return Buffer.concat([Buffer.from(`${head}Content-Length: ${body.length}\r\n\r\n`, 'latin1'), body])
    }
  }

  #query(): string {
    let query = ''
    for (let count = this.#below(4); count > 0; count--) {
      query += `${query === '' ? '?' : this.#pick(SEPARATORS)}${this.#pick(PARAMS)}=${this.#pick(VALUES)}`
    }
    return query
  }

  #body(): Buffer {
    switch (this.#below(4)) {
      case 0:
        return Buffer.alloc(0)
      case 1:
        return Buffer.from('line\n'.repeat(this.#below(5)) + 'x'.repeat(this.#below(300)))
      case 2:
        return this.#batch()
      default:
        return Buffer.from(Array.from({ length: this.#below(60) }, () => this.#below(256)))
    }
  }

  /** A binary batch whose numbers may lie. */
  #batch(): Buffer {
    const count = this.#below(4)
    const parts = Array.from({ length: count }, () => {
      const message = Buffer.alloc(this.#below(20), 0x78)
      return [int32(this.#lie(message.length)), message]
    })
    return Buffer.concat([int32(this.#lie(count)), ...parts.flat()])
  }

  #chunks(body: Buffer): Buffer {
    const parts: Buffer[] = []
    for (let at = 0; at < body.length; ) {
      const end = Math.min(body.length, at + 1 + this.#below(50))
      parts.push(Buffer.from(`${this.#lie(end - at).toString(16)}\r\n`), body.subarray(at, end), Buffer.from('\r\n'))
      at = end
    }
    return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')])
  }

  #spoil(bytes: Buffer): Buffer {
    const at = this.#below(bytes.length)
    const end = Math.min(bytes.length, at + this.#below(20))
    switch (this.#below(4)) {
      case 0:
        bytes[at] = this.#below(256)
        return bytes
      case 1:
        return bytes.subarray(0, at)
      case 2:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)])
      default:
        return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)])
    }
  }

  #lie(value: number): number {
    if (this.#below(6) > 0) return value
    return this.#pick([0, -1, value + 1, 2 ** 31 - 1, -(2 ** 31), 1_048_577])
  }

  #below(end: number): number {
    return randomBelow(this.#random, end)
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)]
  }
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
