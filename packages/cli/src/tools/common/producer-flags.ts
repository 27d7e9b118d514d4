import { Producer, type ProducerOptions } from '@spillway/client'
import type { Logger } from '@spillway/core'
import { type ClientOpt, connectionOptionsOf } from './client-opts.js'
import { orFatal } from './consume.js'
import { userAgentOf } from './versions.js'

/** What the options of `--producer-opt` say of a producer. @throws FatalError */
export function producerBaseOf(tool: string, opts: readonly ClientOpt[] = []): Omit<ProducerOptions, 'address'> {
  return connectionOptionsOf(opts, userAgentOf(tool))
}

/** A producer that says in the log what happens to its connection. @throws FatalError when an option cannot be used */
export function makeProducer(options: ProducerOptions, logger: Logger): Producer {
  const producer = orFatal(() => new Producer(options))
  producer.on('connected', ({ address }) => logger.info(`[producer] connected to ${address}`))
  producer.on('disconnected', ({ address, error }) => {
    if (error !== null) logger.warn(`[producer] lost ${address}: ${error.message}`)
  })
  producer.on('connectFailed', ({ error }) => logger.warn(`[producer] ${error.message}`))
  return producer
}
