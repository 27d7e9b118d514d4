import { Consumer, type Message, Producer } from '@spillway/client'
import type { ConsumeOptions, Library, OpenPublisher } from './library.js'

export const spillwayLibrary: Library = {
  consumers: ['run', 'run async', 'for await'],

  async open(port): Promise<OpenPublisher> {
    const producer = new Producer({ address: `127.0.0.1:${port}` })
    await producer.ping()
    return {
      publish: (topic, body, done) => void producer.publish(topic, body).then(() => done(null), done),
      publishBatch: (topic, bodies, done) => void producer.publishMany(topic, bodies).then(() => done(null), done),
      close: () => producer.close(),
    }
  },

  async consume(way, { port, take, ...options }: ConsumeOptions): Promise<void> {
    const consumer = new Consumer({ address: `127.0.0.1:${port}`, ...options })
    if (way === 'for await') {
      for await (const message of consumer) {
        const isLast = take(message.body, message.attempts)
        message.finish()
        if (isLast) break
      }
    } else {
      const handle = (message: Message): void => {
        if (take(message.body, message.attempts)) void consumer.close()
      }
      await consumer.run(way === 'run' ? handle : async (message) => handle(message))
    }
    await consumer.close()
  },
}
