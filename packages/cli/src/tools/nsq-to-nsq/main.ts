import { isValidName, type Message } from '@spillway/client'
import type { FlagValues } from '../../go-flags.js'
import { makeConsumer } from '../common/consume.js'
import { consumeUntilStopped } from '../common/consume-until-stopped.js'
import { consumerBaseOf } from '../common/consumer-flags.js'
import { FatalError } from '../common/fatal-error.js'
import { OccasionalWarning } from '../common/occasional-warning.js'
import { makeProducer, producerBaseOf } from '../common/producer-flags.js'
import { runTool, type Tool, type ToolContext } from '../common/run-tool.js'
import { Destinations } from '../destinations/destinations.js'
import { chooserFor } from '../destinations/mode.js'
import { NSQ_TO_NSQ_FLAGS } from './flags.js'
import { JsonFilter } from './json-filter.js'
import { Relay } from './relay.js'

type NsqToNsqValues = FlagValues<typeof NSQ_TO_NSQ_FLAGS>

export const NSQ_TO_NSQ: Tool<typeof NSQ_TO_NSQ_FLAGS> = {
  name: 'nsq_to_nsq',
  summary:
    'Publishes the messages of a channel to another nsqd. A message is finished once that has acknowledged it, and comes again otherwise.',
  flags: NSQ_TO_NSQ_FLAGS,
  examples: [
    '--topic=orders --nsqd-tcp-address=127.0.0.1:4150 --destination-nsqd-tcp-address=10.0.0.2:4150',
    '--topic=a --topic=b --lookupd-http-address=127.0.0.1:4161 --destination-nsqd-tcp-address=c:4150 --destination-topic=all',
  ],
  run: nsqToNsq,
}

async function nsqToNsq(
  values: NsqToNsqValues,
  { stop, status, surroundings, openLogger }: ToolContext,
): Promise<number> {
  const { topics, channel, targets } = checkValues(values)
  const base = consumerBaseOf('nsq_to_nsq', values)
  const producerBase = { ...producerBaseOf('nsq_to_nsq', values['producer-opt']), failFast: true }
  const logger = openLogger(surroundings.isErrTerminal ? 'info' : 'warn')
  const nowMs = (): number => surroundings.clock.monotonicMs()
  const producers = targets.map((address) => makeProducer({ ...producerBase, address }, logger))
  const chooser = chooserFor(values.mode ?? 'hostpool', targets.length, { nowMs, random: Math.random })
  const tell = (line: string): void => status.print(`${line}\n`)
  const drops = new OccasionalWarning((line) => logger.warn(line), nowMs)
  const failures = new OccasionalWarning((line) => logger.warn(line), nowMs)
  const relay = new Relay({
    filter: new JsonFilter({
      requiredField: values['require-json-field'] ?? '',
      requiredValue: values['require-json-value'] ?? '',
      fields: values['whitelist-json-field'] ?? [],
    }),
    destinations: new Destinations(targets, chooser, nowMs, values['status-every'] ?? 0, tell),
    producers,
    dropped: (reason) => drops.say(reason),
  })
  const consumptions = topics.map((topic) => {
    const consumer = makeConsumer({ ...base, topic, channel }, logger)
    consumer.on('handlerFailed', ({ message, error }) =>
      failures.say(`[${topic}/${channel}] message ${message.id} comes again: ${error.message}`),
    )
    const destinationTopic = values['destination-topic'] || topic
    return { consumer, handler: (message: Message) => relay.pass(message, destinationTopic) }
  })
  status.start('messages published', () => relay.publishedCount)
  await consumeUntilStopped(consumptions, base.addresses, stop)
  await Promise.all(producers.map((producer) => producer.close()))
  return 0
}

function checkValues(values: NsqToNsqValues) {
  const { channel = 'nsq_to_nsq', 'destination-topic': destinationTopic = '' } = values
  const topics = [...new Set(values.topic)]
  if (topics.length === 0 || channel === '') throw new FatalError('--topic and --channel are required')
  if (!topics.every(isValidName)) throw new FatalError('--topic is invalid')
  if (destinationTopic !== '' && !isValidName(destinationTopic)) throw new FatalError('--destination-topic is invalid')
  if (!isValidName(channel)) throw new FatalError('--channel is invalid')
  const targets = [...new Set(values['destination-nsqd-tcp-address'])]
  if (targets.length === 0) throw new FatalError('--destination-nsqd-tcp-address required')
  if ((values['status-every'] ?? 0) < 0) throw new FatalError('--status-every must be 0 or more')
  const circular = targets.find((address) => values['nsqd-tcp-address']?.includes(address))
  if (circular !== undefined && (destinationTopic === '' || topics.includes(destinationTopic))) {
    throw new FatalError(
      `messages from ${circular} would go back into the same topic, and round for ever; use another --destination-topic`,
    )
  }
  return { topics, channel, targets }
}

export const main = (args: readonly string[]): Promise<number> => runTool(NSQ_TO_NSQ, args)
