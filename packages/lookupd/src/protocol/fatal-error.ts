/** The client is told, and its connection ends: the protocol has no other errors. The message is one byte a letter. */
export class FatalError extends Error {
  override readonly name = 'FatalError'
  readonly code: string
  readonly detail: string

  constructor(code: 'E_INVALID' | 'E_BAD_BODY' | 'E_BAD_TOPIC' | 'E_BAD_CHANNEL' | 'E_BAD_PROTOCOL', detail: string) {
    super(detail === '' ? code : `${code} ${detail}`)
    this.code = code
    this.detail = detail
  }
}
