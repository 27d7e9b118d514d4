import type { Consumer } from '@spillway/client'
import { firstConnections, makeConsumer } from '../common/consume.js'
import { CONSUMER_FLAGS, consumerBaseOf } from '../common/consumer-flags.js'
import { FatalError } from '../common/fatal-error.js'
import { boolean, integer, text, texts } from '../common/flag-kinds.js'
import { runTool, type Tool, type ToolContext, whenAborted } from '../common/run-tool.js'
import { Tail } from './tail.js'

const FLAGS = {
  ...CONSUMER_FLAGS,
  topic: texts('topic to print'),
  channel: text('channel to consume from', 'one of its own, tailNNNNNN#ephemeral'),
  n: integer('end after so many messages of a topic; 0: never', '0'),
  'print-topic': boolean('print the topic before each message'),
} as const

export const NSQ_TAIL: Tool<typeof FLAGS> = {
  name: 'nsq_tail',
  summary:
    'Prints the messages of topics, a line each, as they come. On a channel of its own, which goes with it, it takes nothing from anybody.',
  flags: FLAGS,
  examples: [
    '--topic=orders --nsqd-tcp-address=127.0.0.1:4150',
    '--topic=orders --lookupd-http-address=127.0.0.1:4161 -n=10',
    '--topic=orders --topic=invoices --print-topic --nsqd-tcp-address=127.0.0.1:4150 | grep ERROR',
  ],
  writesToStdout: true,
  async run(values, context) {
    const base = consumerBaseOf('nsq_tail', values)
    const topics = [...new Set(values.topic ?? [])]
    if (topics.length === 0) throw new FatalError('--topic required')
    const limit = Math.max(0, values.n ?? 0)
    const options = {
      ...base,
      channel: values.channel || ownChannel(),
      // No more than is wanted.
      maxInFlight: limit === 0 ? base.maxInFlight : Math.min(limit, base.maxInFlight),
    }
    const logger = context.openLogger(context.surroundings.isErrTerminal ? 'info' : 'warn')
    const consumers = topics.map((topic) => makeConsumer({ ...options, topic }, logger))
    const { stdout } = context.surroundings
    const tails = consumers.map((consumer, index) => {
      const prefix = values['print-topic'] === true ? `${topics[index]} | ` : ''
      return new Tail(consumer, { stdout, limit, prefix, maxInFlight: options.maxInFlight })
    })
    return print(tails, consumers, options.addresses, context)
  },
}

async function print(
  tails: readonly Tail[],
  consumers: readonly Consumer[],
  addresses: readonly string[] | undefined,
  context: ToolContext,
) {
  const connected = Promise.all(consumers.map((consumer) => firstConnections(consumer, addresses)))
  const ended = Promise.race([whenAborted(context.stop), ...tails.map((tail) => tail.start())])
  context.status.start('messages', () => tails.reduce((sum, { shownCount }) => sum + shownCount, 0))
  try {
    await Promise.race([ended, connected.then(() => ended)])
  } finally {
    // What was printed is finished before it ends: nobody gets it again.
    await Promise.all(consumers.map((consumer) => consumer.close()))
  }
  return 0
}

const ownChannel = (): string => `tail${String(Math.floor(Math.random() * 1e6)).padStart(6, '0')}#ephemeral`

export const main = (args: readonly string[]): Promise<number> => runTool(NSQ_TAIL, args)
