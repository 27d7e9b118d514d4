import type { HeaderList } from './headers.js'

/** Ends a request with a status and NSQ's error body, `{"message":"<code>"}`. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  readonly code: string
  readonly headers: HeaderList

  constructor(status: number, code: string, headers: HeaderList = []) {
    super(code)
    this.status = status
    this.code = code
    this.headers = headers
  }
}
