/** The part of nsqjs 0.13.0 that is measured; the package ships no types. */
declare module 'nsqjs' {
  import type { EventEmitter } from 'node:events'

  export class Message extends EventEmitter {
    readonly attempts: number
    readonly body: Buffer
    finish(): void
  }

  /** Emits `message` (Message) and `nsqd_closed`. */
  export class Reader extends EventEmitter {
    constructor(topic: string, channel: string, options: { nsqdTCPAddresses: string[]; maxInFlight: number })
    connect(): void
    close(): void
  }

  /** Emits `ready` and `closed`. */
  export class Writer extends EventEmitter {
    constructor(host: string, port: number)
    connect(): void
    publish(topic: string, messages: Buffer | readonly Buffer[], done: (error?: unknown) => void): void
    close(): void
  }
}
