import type { Broker } from './broker.js'

/** Where a transport listens. */
export interface ListenAddress {
  /** What is spoken there: `tcp` (V2), `http`, `https`, `ws`. */
  readonly protocol: 'tcp' | 'http' | 'https' | 'ws'
  /** Host or IP address; the path of a Unix socket. */
  readonly address: string
  /** The port in use; -1 for a Unix socket. */
  readonly port: number
}

/** Lets clients reach the broker. Core calls `start`, then `drain`, then `stop`, each at most once. */
export interface Transport {
  /**
   * Listens, and resolves once clients can connect.
   * @throws BrokerError `E_LISTEN`: the address is taken, not ours or not allowed; the message names it.
   */
  start(broker: Broker): Promise<void>
  /** Where it listens; `[]` before `start` and after `stop`. */
  readonly addresses: readonly ListenAddress[]
  /** Accepts nobody new and lets accepted commands be answered; resolves when they are, or after `timeoutMs`. */
  drain(timeoutMs: number): Promise<void>
  /** Closes every connection and listener; resolves when they are closed. Idempotent, also without `start` or `drain`. */
  stop(): Promise<void>
}
