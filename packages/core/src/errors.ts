/** How the broker behaves at an error. */
export interface ErrorBehaviour {
  /** On a V2 connection: reply, then close it. */
  readonly fatal: boolean
  /** The same call may succeed later. */
  readonly retryable: boolean
}

/** Every error code there is. `docs/errors.md` lists the same codes for people; a test holds both equal. */
export const ERRORS = {
  // NSQ's own, as they go over the wire
  E_BAD_PROTOCOL: { fatal: true, retryable: false },
  E_INVALID: { fatal: true, retryable: false },
  E_BAD_BODY: { fatal: true, retryable: false },
  E_BAD_TOPIC: { fatal: true, retryable: false },
  E_BAD_CHANNEL: { fatal: true, retryable: false },
  E_BAD_MESSAGE: { fatal: true, retryable: false },
  E_PUB_FAILED: { fatal: true, retryable: true },
  E_MPUB_FAILED: { fatal: true, retryable: true },
  E_DPUB_FAILED: { fatal: true, retryable: true },
  E_SUB_FAILED: { fatal: true, retryable: true },
  E_IDENTIFY_FAILED: { fatal: true, retryable: false },
  E_AUTH_DISABLED: { fatal: true, retryable: false },
  E_AUTH_FAILED: { fatal: true, retryable: true },
  E_AUTH_ERROR: { fatal: true, retryable: true },
  E_AUTH_FIRST: { fatal: true, retryable: false },
  E_UNAUTHORIZED: { fatal: true, retryable: false },
  E_FIN_FAILED: { fatal: false, retryable: false },
  E_REQ_FAILED: { fatal: false, retryable: false },
  E_TOUCH_FAILED: { fatal: false, retryable: false },
  // Ours, inside the process
  E_EXITING: { fatal: true, retryable: true },
  E_MEMORY_FULL: { fatal: true, retryable: true },
  E_STORAGE_FULL: { fatal: true, retryable: true },
  E_STORAGE_IO: { fatal: true, retryable: true },
  E_STORAGE_CORRUPT: { fatal: true, retryable: false },
  E_STORAGE_LOCKED: { fatal: true, retryable: true },
  E_STORAGE_CLOSED: { fatal: true, retryable: false },
  E_STORAGE_FENCED: { fatal: true, retryable: false },
  E_LISTEN: { fatal: true, retryable: true },
  E_INVALID_OPTION: { fatal: true, retryable: false },
  E_CONFIG: { fatal: true, retryable: false },
  E_PLUGIN: { fatal: true, retryable: false },
} as const satisfies Record<string, ErrorBehaviour>

export type ErrorCode = keyof typeof ERRORS

/** The one error class. The code is the contract, the detail is for people; never match on it. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: ErrorCode
  /** The message without its code. */
  readonly detail: string

  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(detail === '' ? code : `${code} ${detail}`, options)
    this.code = code
    this.detail = detail
  }
}
