import { fstatSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { isValidName, Producer } from '@spillway/client'
import type { FlagValues } from '../../go-flags.js'
import { orFatal } from '../common/consume.js'
import { FatalError } from '../common/fatal-error.js'
import { producerBaseOf } from '../common/producer-flags.js'
import { runTool, type Tool, type ToolContext } from '../common/run-tool.js'
import { TO_NSQ_FLAGS } from './flags.js'
import { publishStream } from './publish-stream.js'
import { RateLimit } from './rate-limit.js'
import { RecordPublisher } from './record-publisher.js'
import { RecordSplitter, RecordTooLongError } from './record-splitter.js'

const MIB = 1024 * 1024
const RECORD_SIZE_BYTES_MAX = 64 * MIB
/** One message may be no longer, for its size is sent in 31 bits; and memory has to hold some of them. */
const RECORD_SIZE_BYTES_LIMIT = 1024 * MIB

type ToNsqValues = FlagValues<typeof TO_NSQ_FLAGS>

export const TO_NSQ: Tool<typeof TO_NSQ_FLAGS> = {
  name: 'to_nsq',
  summary: 'Publishes each line, or record, of standard input as a message. Empty ones are left out.',
  flags: TO_NSQ_FLAGS,
  examples: [
    '--topic=test --nsqd-tcp-address=127.0.0.1:4150 < lines.txt',
    '--topic=clicks --nsqd-tcp-address=a:4150 --nsqd-tcp-address=b:4150 --rate=500',
  ],
  run: toNsq,
}

async function toNsq(values: ToNsqValues, context: ToolContext): Promise<number> {
  const { topic, delimiter, recordSizeBytesMax, rate, addresses } = readValues(values)
  refuseFolder()
  const base = producerBaseOf('to_nsq', values['producer-opt'])
  const waitingBytesMax = 3 * recordSizeBytesMax + 64 * MIB
  const producers = new Map(
    addresses.map((address) => [
      address,
      // A node that is not there ends the program, as everything else that goes wrong does.
      orFatal(() => new Producer({ ...base, address, failFast: true, waitingBytesMax })),
    ]),
  )
  const publisher = new RecordPublisher(topic, producers)
  const { stop, status, surroundings } = context
  status.start('records published', () => publisher.publishedCount)
  const { stdin } = process
  stop.addEventListener('abort', () => stdin.destroy(), { once: true })
  const isWhole = await orOneLine(
    publisher,
    publishStream(stdin, {
      splitter: new RecordSplitter(delimiter, recordSizeBytesMax),
      publisher,
      limit: rate === 0 ? null : new RateLimit(rate, () => surroundings.clock.monotonicMs()),
      stop,
      closeInput: () => stdin.destroy(),
      pause: (delayMs) => pause(delayMs, undefined, { signal: stop }).catch(() => {}),
    }),
  )
  await Promise.all([...producers.values()].map((producer) => producer.close()))
  if (!isWhole)
    status.print(`to_nsq: stopped before the end of the input; ${publisher.publishedCount} records were published\n`)
  return 0
}

/** Node reads a folder as an empty input, and all would seem well. */
function refuseFolder(): void {
  if (fstatSync(0).isDirectory()) throw new FatalError('standard input is a folder; give it a file')
}

function readValues(values: ToNsqValues) {
  const {
    topic = '',
    delimiter = '\n',
    rate = 0,
    'max-record-size': recordSizeBytesMax = RECORD_SIZE_BYTES_MAX,
  } = values
  if (topic === '') throw new FatalError('--topic required')
  // Also where no record comes for a long time, or none at all.
  if (!isValidName(topic)) throw new FatalError('--topic is invalid')
  const delimiterBytes = Buffer.from(delimiter)
  if (delimiterBytes.length !== 1) throw new FatalError('--delimiter must be a single byte')
  const addresses = [...new Set(values['nsqd-tcp-address'])]
  if (addresses.length === 0) throw new FatalError('--nsqd-tcp-address required')
  if (rate < 0) throw new FatalError(`--rate must be 0 or more, not ${rate}`)
  if (recordSizeBytesMax < 1 || recordSizeBytesMax > RECORD_SIZE_BYTES_LIMIT) {
    throw new FatalError('--max-record-size must be from 1 byte to 1GiB')
  }
  return { topic, delimiter: delimiterBytes[0], rate, recordSizeBytesMax, addresses }
}

/** What goes wrong at the input, as one line that says how far it came. */
async function orOneLine<T>(publisher: RecordPublisher, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof FatalError) throw error
    const published = `${publisher.publishedCount} were published`
    if (error instanceof RecordTooLongError) throw new FatalError(`${error.message} (--max-record-size); ${published}`)
    throw new FatalError(`cannot read standard input: ${(error as Error).message}; ${published}`)
  }
}

export const main = (args: readonly string[]): Promise<number> => runTool(TO_NSQ, args)
