/** What is measured of a client library. */
export interface Library {
  /** One of several ways to consume, all of them against the other library's only one. */
  readonly consumers: readonly string[]
  open(port: number): Promise<OpenPublisher>
  /** Hands on every message until `take` says that it was the last. Resolves once all is closed. */
  consume(way: string, options: ConsumeOptions): Promise<void>
}

export interface OpenPublisher {
  /** `done` is called once the broker has answered. */
  publish(topic: string, body: Buffer, done: (error: unknown) => void): void
  publishBatch(topic: string, bodies: Buffer[], done: (error: unknown) => void): void
  close(): Promise<void>
}

export interface ConsumeOptions {
  readonly port: number
  readonly topic: string
  readonly channel: string
  readonly maxInFlight: number
  /** Returns whether that was the last message. */
  readonly take: (body: Buffer, attempts: number) => boolean
}
