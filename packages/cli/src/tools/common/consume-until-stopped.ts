import type { Consumer, MessageHandler } from '@spillway/client'
import { firstConnections } from './consume.js'
import { whenAborted } from './run-tool.js'

/** A consumer and what it does with messages. */
export interface Consumption {
  readonly consumer: Consumer
  readonly handler: MessageHandler
  /** Handlers that run at once; without it, as many as messages are in flight. */
  readonly concurrency?: number
}

/**
 * Consumes until `stop`, then until what is in flight is done.
 * @param addresses - the nodes that were named; all of them must be there at first
 * @throws FatalError when one of them is not
 */
export async function consumeUntilStopped(
  consumptions: readonly Consumption[],
  addresses: readonly string[] | undefined,
  stop: AbortSignal,
): Promise<void> {
  const first = consumptions.map(({ consumer }) => firstConnections(consumer, addresses))
  const running = consumptions.map(({ consumer, handler, concurrency }) =>
    consumer.run(handler, concurrency === undefined ? {} : { concurrency }),
  )
  const stopped = whenAborted(stop)
  try {
    await Promise.race([Promise.all(first), stopped])
    await stopped
  } finally {
    await Promise.all(consumptions.map(({ consumer }) => consumer.close()))
    await Promise.all(running)
  }
}
