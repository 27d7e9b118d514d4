import { Ledger, type Verification } from '../src/ledger.js'
import { Consuming, Publishing } from '../src/traffic.js'

/** What a client is to send and receive. */
export interface ClientOrder {
  readonly port: number
  readonly tag: number
  readonly messageCount: number
  readonly bodySizeBytes: number
  /** Messages in one command; 1 sends PUB. */
  readonly batchCount: number
  readonly connectionCount: number
}

/** To the client: prepare, then go. */
export type ToClient = { readonly order: ClientOrder } | 'go'

export type FromClient =
  | 'ready'
  | { readonly elapsedMs: number; readonly cpuMs: number; readonly verification: Verification }
  | { readonly failure: string }

const READY = 2500
const CONSUMER_COUNT = 2

/** One client's process: it publishes to its topic and consumes that at the same time, order after order. */
let go = (): void => {}

const send = (message: FromClient): void => void process.send?.(message)

async function run(order: ClientOrder): Promise<void> {
  const { port, tag, messageCount, bodySizeBytes, batchCount, connectionCount } = order
  const topic = `nodes-${tag}`
  const at = { tcpPort: port }
  const ledger = new Ledger(messageCount, tag, bodySizeBytes)
  const consuming = await Consuming.open(at, {
    topic,
    channel: 'ch',
    connectionCount: CONSUMER_COUNT,
    ready: READY,
    ledger,
  })
  const publishing = await Publishing.open(at, { topic, tag, bodySizeBytes, messageCount, connectionCount, batchCount })
  const started = new Promise<void>((resolve) => {
    go = resolve
  })
  send('ready')
  await started
  const before = process.cpuUsage()
  const elapsedMs = Math.max(...(await Promise.all([consuming.run(), publishing.run()])))
  const { user, system } = process.cpuUsage(before)
  send({ elapsedMs, cpuMs: (user + system) / 1000, verification: ledger.result() })
}

process.on('message', (message: ToClient) => {
  if (message === 'go') go()
  else
    run(message.order).catch((error: unknown) => send({ failure: error instanceof Error ? error.message : `${error}` }))
})
process.once('disconnect', () => process.exit())
