import type { Broker } from '@spillway/core'
import { BlockPool } from './block-pool.js'
import { TurnQueue } from './turn-queue.js'

/** What the sessions of one transport share. */
export class SessionContext {
  readonly broker: Broker
  readonly turns: TurnQueue
  readonly blocks = new BlockPool()

  constructor(broker: Broker) {
    this.broker = broker
    this.turns = new TurnQueue(broker.clock)
  }
}
