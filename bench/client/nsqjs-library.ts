import { once } from 'node:events'
import { type Message, Reader, Writer } from 'nsqjs'
import type { ConsumeOptions, Library, OpenPublisher } from './library.js'

export const nsqjsLibrary: Library = {
  consumers: ['on message'],

  async open(port): Promise<OpenPublisher> {
    const writer = new Writer('127.0.0.1', port)
    const isReady = once(writer, 'ready')
    writer.connect()
    await isReady
    return {
      publish: (topic, body, done) => writer.publish(topic, body, done),
      publishBatch: (topic, bodies, done) => writer.publish(topic, bodies, done),
      async close() {
        const isClosed = once(writer, 'closed')
        writer.close()
        await isClosed
      },
    }
  },

  async consume(_way, { port, topic, channel, maxInFlight, take }: ConsumeOptions): Promise<void> {
    const reader = new Reader(topic, channel, { nsqdTCPAddresses: [`127.0.0.1:${port}`], maxInFlight })
    const isDone = new Promise<void>((resolve) => {
      reader.on('message', (message: Message) => {
        const isLast = take(message.body, message.attempts)
        message.finish()
        if (isLast) resolve()
      })
    })
    reader.connect()
    await isDone
    const isClosed = once(reader, 'nsqd_closed')
    reader.close()
    await isClosed
  },
}
