/**
 * Producer and consumer for Spillway and NSQ, over TCP.
 *
 * @packageDocumentation
 */
export type { Clock, Surroundings, TimerHandle } from './clock.js'
export type { ConnectionOptions, TlsOptions } from './connection-options.js'
export { Consumer, type ConsumerEvents, type RunOptions } from './consumer.js'
export type { ConsumerOptions } from './consumer-options.js'
export { type ClientErrorCode, type NodeErrorCode, NsqError, type NsqErrorCode } from './errors.js'
export type {
  BackoffEvent,
  ConnectedEvent,
  ConnectFailedEvent,
  DiscardedEvent,
  DisconnectedEvent,
  HandlerFailedEvent,
  LookupFailedEvent,
  SettleFailedEvent,
} from './events.js'
export type { MessageHandler } from './handler-runner.js'
export type { NodeInfo } from './identify.js'
export type { Message, RequeueOptions } from './message.js'
export { isValidName } from './names.js'
export { Producer, type ProducerEvents } from './producer.js'
export type { ProducerOptions } from './producer-options.js'
export type { MessageBody } from './publish.js'
export { VERSION } from './version.js'
