/** The part of nsqjs 0.13.0 that these tests use; the package ships no types. */
declare module 'nsqjs' {
  import type { EventEmitter } from 'node:events'

  export interface ConnectionOptions {
    clientId?: string
    maxInFlight?: number
    /** `msg_timeout`, in milliseconds. */
    messageTimeout?: number
    maxAttempts?: number
    tls?: boolean
    tlsVerification?: boolean
    deflate?: boolean
    snappy?: boolean
    authSecret?: string
  }

  export class Message extends EventEmitter {
    readonly id: string
    readonly attempts: number
    readonly body: Buffer
    finish(): void
    requeue(delayMs: number, backoff: boolean): void
    touch(): void
  }

  /** Emits `ready`, `message` (Message), `error` (Error), `nsqd_connected` and `nsqd_closed`. */
  export class Reader extends EventEmitter {
    constructor(
      topic: string,
      channel: string,
      options: ConnectionOptions & { nsqdTCPAddresses?: string[]; lookupdHTTPAddresses?: string[] },
    )
    connect(): void
    pause(): void
    close(): void
  }

  /** Emits `ready`, `closed` and `error` (Error). */
  export class Writer extends EventEmitter {
    constructor(host: string, port: number, options?: ConnectionOptions)
    connect(): void
    publish(topic: string, messages: string | Buffer | readonly Buffer[], done: (error?: Error | null) => void): void
    close(): void
  }
}
