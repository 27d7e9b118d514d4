import type { Authenticator } from '../contracts/authenticator.js'
import type { Broker } from '../contracts/broker.js'
import type { Clock, Random } from '../contracts/clock.js'
import type { Discovery } from '../contracts/discovery.js'
import type { Logger } from '../contracts/logger.js'
import type { BrokerOptions } from '../contracts/options.js'
import type { QueueFactory } from '../contracts/queue.js'
import type { Storage } from '../contracts/storage.js'
import type { Telemetry } from '../contracts/telemetry.js'
import type { ListenAddress } from '../contracts/transport.js'

/** What an engine is made of. */
export interface EngineParts {
  readonly storage: Storage
  readonly queueFactory: QueueFactory | null
  readonly discoveries: readonly Discovery[]
  readonly authenticator: Authenticator | null
  readonly telemetry: Telemetry | null
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly options: BrokerOptions
}

/** The engine, as the node that owns it sees it. */
export interface NodeEngine extends Broker {
  /** Opens the storage and recovers what it holds. */
  open(): Promise<void>
  /** Tells where the transports listen, once all do; from then on discovery announces. */
  listening(addresses: readonly ListenAddress[]): void
  /** Closes topics, then the storage. Idempotent. */
  close(): Promise<void>
}
