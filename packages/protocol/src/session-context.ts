import { type Broker, type RefusalLog, refusalsOf } from '@spillway/core'
import { BlockPool } from './block-pool.js'
import { TurnQueue } from './turn-queue.js'

/** What the sessions of one transport share. */
export class SessionContext {
  readonly broker: Broker
  readonly turns: TurnQueue
  readonly blocks = new BlockPool()
  readonly refusals: RefusalLog

  /** Whether a connection must be encrypted before anything but IDENTIFY. */
  readonly requiresTls: boolean

  constructor(broker: Broker, { requiresTls = false }: { readonly requiresTls?: boolean } = {}) {
    this.broker = broker
    this.requiresTls = requiresTls
    this.turns = new TurnQueue(broker.clock)
    this.refusals = refusalsOf(broker)
  }
}
