import type { Message } from '@spillway/client'
import type { FlagValues } from '../../go-flags.js'
import { makeConsumer } from '../common/consume.js'
import { consumeUntilStopped } from '../common/consume-until-stopped.js'
import { consumerBaseOf } from '../common/consumer-flags.js'
import { FatalError } from '../common/fatal-error.js'
import { OccasionalWarning } from '../common/occasional-warning.js'
import { runTool, type Tool, type ToolContext } from '../common/run-tool.js'
import { NSQ_VERSION } from '../common/versions.js'
import { Destinations } from '../destinations/destinations.js'
import { chooserFor } from '../destinations/mode.js'
import { type Deliver, getting, posting } from './delivery.js'
import { NSQ_TO_HTTP_FLAGS } from './flags.js'
import { parseHeaders } from './headers.js'
import { HttpSender } from './http-sender.js'

type NsqToHttpValues = FlagValues<typeof NSQ_TO_HTTP_FLAGS>

const CONTENT_TYPE = 'application/octet-stream'

export const NSQ_TO_HTTP: Tool<typeof NSQ_TO_HTTP_FLAGS> = {
  name: 'nsq_to_http',
  summary:
    'Makes an HTTP request of each message of a channel. A message is finished once the server has accepted it, and comes again otherwise.',
  flags: NSQ_TO_HTTP_FLAGS,
  examples: [
    '--topic=orders --nsqd-tcp-address=127.0.0.1:4150 --post=http://127.0.0.1:8080/orders --content-type=application/json',
    "--topic=clicks --lookupd-http-address=127.0.0.1:4161 --get='http://127.0.0.1:8080/click?body=%s' --sample=0.1",
  ],
  run: nsqToHttp,
}

async function nsqToHttp(
  values: NsqToHttpValues,
  { stop, status, surroundings, openLogger }: ToolContext,
): Promise<number> {
  const { topic, channel, concurrency, sample, mode, statusEvery, timeouts } = checkValues(values)
  const base = consumerBaseOf('nsq_to_http', values)
  const sender = new HttpSender({ ...timeouts, connectionsMax: concurrency })
  const { addresses, delivers } = deliveriesOf(values, sender)
  const logger = openLogger(surroundings.isErrTerminal ? 'info' : 'warn')
  const nowMs = (): number => surroundings.clock.monotonicMs()
  const chooser = chooserFor(mode, addresses.length, { nowMs, random: Math.random })
  const destinations = new Destinations(addresses, chooser, nowMs, statusEvery, (line) => status.print(`${line}\n`))
  const failures = new OccasionalWarning((line) => logger.warn(line), nowMs)
  const consumer = makeConsumer({ ...base, topic, channel }, logger)
  consumer.on('handlerFailed', ({ message, error }) =>
    failures.say(`[${topic}/${channel}] message ${message.id} comes again: ${error.message}`),
  )
  let sentCount = 0
  const send = async ({ body }: Message): Promise<void> => {
    await destinations.send((index) => delivers[index](body))
    sentCount++
  }
  const handler = (message: Message): Promise<void> | undefined =>
    sample < 1 && Math.random() >= sample ? undefined : send(message)
  status.start('messages sent', () => sentCount)
  await consumeUntilStopped([{ consumer, handler, concurrency }], base.addresses, stop)
  sender.close()
  return 0
}

function checkValues(values: NsqToHttpValues) {
  const { topic = '', channel = 'nsq_to_http', n: concurrency = 100, sample = 1, mode = 'hostpool' } = values
  if (topic === '' || channel === '') throw new FatalError('--topic and --channel are required')
  if (values['content-type'] !== undefined && values['content-type'] !== CONTENT_TYPE) {
    if (values.post === undefined) throw new FatalError('--content-type only used with --post')
    if (values['content-type'] === '') throw new FatalError('--content-type requires a value when used')
  }
  if (sample < 0 || sample > 1) throw new FatalError('ERROR: --sample must be between 0.0 and 1.0')
  if (concurrency < 1) throw new FatalError(`-n must be at least 1, not ${concurrency}`)
  const statusEvery = values['status-every'] ?? 0
  if (statusEvery < 0) throw new FatalError('--status-every must be 0 or more')
  const timeouts = {
    connectTimeoutMs: values['http-client-connect-timeout'] ?? 2_000,
    requestTimeoutMs: values['http-client-request-timeout'] ?? 20_000,
  }
  if (timeouts.connectTimeoutMs <= 0) throw new FatalError('--http-client-connect-timeout should be positive')
  if (timeouts.requestTimeoutMs <= 0) throw new FatalError('--http-client-request-timeout should be positive')
  return { topic, channel, concurrency, sample, mode, statusEvery, timeouts }
}

function deliveriesOf(values: NsqToHttpValues, sender: HttpSender): { addresses: string[]; delivers: Deliver[] } {
  const { get = [], post = [] } = values
  if (get.length === 0 && post.length === 0) throw new FatalError('--get or --post required')
  if (get.length > 0 && post.length > 0) throw new FatalError('use --get or --post not both')
  try {
    const own = parseHeaders(values.header ?? [])
    const headers = { 'user-agent': `nsq_to_http v${NSQ_VERSION}`, ...own }
    const withType = { 'content-type': values['content-type'] ?? CONTENT_TYPE, ...headers }
    const addresses = [...new Set(post.length > 0 ? post : get)]
    const delivers = addresses.map((address) =>
      post.length > 0 ? posting(address, withType, sender) : getting(address, headers, sender),
    )
    return { addresses, delivers }
  } catch (error) {
    throw new FatalError((error as Error).message)
  }
}

export const main = (args: readonly string[]): Promise<number> => runTool(NSQ_TO_HTTP, args)
