import type { Broker } from './broker.js'

/**
 * Sends the node's statistics ({@link Broker.stats}) elsewhere, from time to time: statsd, say. One that cannot reach
 * anybody logs it and stays out of the way: it never fails the broker.
 */
export interface Reporter {
  /** Called once, after the transports listen. Must not wait for the network. */
  start(broker: Broker): void
  /** Sends what is still to be told, if that takes a moment at most, and releases everything. Idempotent, also without `start`. */
  stop(): Promise<void>
}
