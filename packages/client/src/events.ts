import type { NsqError } from './errors.js'
import type { NodeInfo } from './identify.js'
import type { Message } from './message.js'

/** A node is connected and negotiated; a consumer has subscribed too. */
export interface ConnectedEvent {
  readonly address: string
  readonly node: NodeInfo
}

/** A connection has ended that was open. */
export interface DisconnectedEvent {
  readonly address: string
  /** Why; null: we closed it. */
  readonly error: NsqError | null
}

/** A node could not be connected, or refused what was asked of it. */
export interface ConnectFailedEvent {
  readonly address: string
  readonly error: NsqError
  /** When this node, or with several the next one, is tried. */
  readonly retryInMs: number
}

/** The consumer holds back, or does not any more. */
export interface BackoffEvent {
  /** 0: everything is taken again. */
  readonly level: number
  /** Nothing is taken for that long, then one message. */
  readonly delayMs: number
}

/** A handler has thrown or rejected; its message is requeued. */
export interface HandlerFailedEvent {
  readonly message: Message
  readonly error: Error
}

/** A message came with more attempts than it may have. */
export interface DiscardedEvent {
  readonly message: Message
}

/** A node did not take a FIN, REQ or TOUCH, most often because the message had timed out there. */
export interface SettleFailedEvent {
  readonly address: string
  readonly error: NsqError
}

/** An nsqlookupd could not be asked; the others' answers count. */
export interface LookupFailedEvent {
  readonly address: string
  readonly error: NsqError
}
