/**
 * What the client itself says.
 *
 * | code | meaning | a publish that was rejected with it |
 * | --- | --- | --- |
 * | `E_INVALID_OPTION` | an option or an argument cannot be used; the text names it | was not published |
 * | `E_INVALID_STATE` | called at a time when it cannot be done | was not published |
 * | `E_QUEUE_FULL` | as many publishes wait as may | was not published |
 * | `E_TIMEOUT` | no node took it in time | was not published |
 * | `E_CLOSED` | closed before it was done | was not published |
 * | `E_FATE_UNKNOWN` | it was sent, and the connection broke before the answer; `cause` says why | may have been published |
 * | `E_CONNECT` | no connection could be made, or the node offers less than what is required | was not published |
 * | `E_CONNECTION_LOST` | an open connection broke | |
 * | `E_STALE` | an open connection was silent for two heartbeats, and was given up | |
 * | `E_PROTOCOL` | the other end sends what NSQ does not | |
 * | `E_LOOKUP` | an nsqlookupd could not be asked | |
 */
export type ClientErrorCode =
  | 'E_INVALID_OPTION'
  | 'E_INVALID_STATE'
  | 'E_QUEUE_FULL'
  | 'E_TIMEOUT'
  | 'E_CLOSED'
  | 'E_FATE_UNKNOWN'
  | 'E_CONNECT'
  | 'E_CONNECTION_LOST'
  | 'E_STALE'
  | 'E_PROTOCOL'
  | 'E_LOOKUP'

/** What nodes answer; `E_BAD_TOPIC`, `E_BAD_CHANNEL` and `E_BAD_MESSAGE` are also found here, before anything is sent. */
export type NodeErrorCode =
  | 'E_BAD_PROTOCOL'
  | 'E_INVALID'
  | 'E_BAD_BODY'
  | 'E_BAD_TOPIC'
  | 'E_BAD_CHANNEL'
  | 'E_BAD_MESSAGE'
  | 'E_PUB_FAILED'
  | 'E_MPUB_FAILED'
  | 'E_DPUB_FAILED'
  | 'E_SUB_FAILED'
  | 'E_IDENTIFY_FAILED'
  | 'E_AUTH_DISABLED'
  | 'E_AUTH_FAILED'
  | 'E_AUTH_ERROR'
  | 'E_AUTH_FIRST'
  | 'E_UNAUTHORIZED'
  | 'E_FIN_FAILED'
  | 'E_REQ_FAILED'
  | 'E_TOUCH_FAILED'

/** A node may be newer than this package and have codes of its own. */
export type NsqErrorCode = ClientErrorCode | NodeErrorCode | (string & {})

/** The only kind of error that this package raises. The code is the contract; the text is for people and may change. */
export class NsqError extends Error {
  override readonly name = 'NsqError'
  readonly code: NsqErrorCode

  constructor(code: NsqErrorCode, detail: string, options?: ErrorOptions) {
    super(detail === '' ? code : `${code} ${detail}`, options)
    this.code = code
  }
}

/** Of an error frame: `E_BAD_TOPIC PUB topic name "x y" is not valid`. */
export function nodeError(text: string, address: string): NsqError {
  const space = text.indexOf(' ')
  const code = space === -1 ? text : text.slice(0, space)
  const detail = space === -1 ? '' : text.slice(space + 1)
  return new NsqError(code, `${detail}${detail === '' ? '' : ' '}(${address})`)
}

/** Whatever was thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
