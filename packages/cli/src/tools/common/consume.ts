import { Consumer, type ConsumerOptions, NsqError } from '@spillway/client'
import type { Logger } from '@spillway/core'
import { FatalError } from './fatal-error.js'

/** A consumer that says in the log what happens to its connections. @throws FatalError when an option cannot be used */
export function makeConsumer(options: ConsumerOptions, logger: Logger): Consumer {
  const consumer = orFatal(() => new Consumer(options))
  const name = `${options.topic}/${options.channel}`
  // That one of these cannot be had the first time ends the tool with a line of its own.
  const untried = new Set(options.addresses)
  consumer.on('connected', ({ address }) => {
    untried.delete(address)
    logger.info(`[${name}] connected to ${address}`)
  })
  consumer.on('disconnected', ({ address, error }) => {
    if (error !== null) logger.warn(`[${name}] lost ${address}: ${error.message}`)
  })
  consumer.on('connectFailed', ({ address, error, retryInMs }) => {
    if (untried.has(address)) return
    logger.warn(`[${name}] ${error.message}; next try in ${Math.round(retryInMs)} ms`)
  })
  consumer.on('lookupFailed', ({ error }) => logger.warn(`[${name}] ${error.message}`))
  consumer.on('settleFailed', ({ address, error }) => logger.warn(`[${name}] ${address}: ${error.message}`))
  consumer.on('discarded', ({ message }) =>
    logger.warn(`[${name}] gave up message ${message.id} after ${message.attempts - 1} attempts`),
  )
  return consumer
}

/** What the client says of its options, as what ends a tool. @throws FatalError */
export function orFatal<T>(make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof NsqError) throw new FatalError(error.message.replace(/^E_INVALID_OPTION /, ''))
    throw error
  }
}

/**
 * Resolves once a consumer is subscribed at each of these addresses; with none, at once, since nsqlookupd may name nodes later.
 * Call it before the consumer starts.
 * @throws FatalError when one of them cannot be had the first time: a mistyped address is told, not tried for ever
 */
export function firstConnections(consumer: Consumer, addresses: readonly string[] = []): Promise<void> {
  const missing = new Set(addresses)
  if (missing.size === 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const connected = ({ address }: { address: string }): void => {
      missing.delete(address)
      if (missing.size > 0) return
      consumer.off('connected', connected)
      consumer.off('connectFailed', failed)
      resolve()
    }
    const failed = ({ address, error }: { address: string; error: NsqError }): void => {
      if (missing.has(address)) reject(new FatalError(`cannot connect: ${error.message}`))
    }
    consumer.on('connected', connected)
    consumer.on('connectFailed', failed)
  })
}
