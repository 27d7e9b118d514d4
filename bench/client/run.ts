import { buildBody, patchSerial } from '../src/body.js'
import { Ledger } from '../src/ledger.js'
import type { Library } from './library.js'

export const BATCH_COUNT = 100

/** What a process is asked to measure. */
export interface RunRequest {
  readonly library: 'spillway' | 'nsqjs'
  readonly port: number
  readonly httpPort: number
  readonly tag: number
  readonly messageCount: number
  readonly warmUpCount: number
  readonly bodySizeBytes: number
  readonly inFlight: number
}

export interface Speed {
  readonly perSecond: number
  /** Of the measuring process, user and system, for each message: what a busy machine changes less than the speed. */
  readonly cpuUs: number
}

/** By what was measured. */
export type RunResult = Readonly<Record<string, Speed>>

/** Measures from when it is made. */
class Stopwatch {
  readonly #startedMs = performance.now()
  readonly #startedCpu = process.cpuUsage()

  speed(messageCount: number): Speed {
    const { user, system } = process.cpuUsage(this.#startedCpu)
    const perSecond = (messageCount / (performance.now() - this.#startedMs)) * 1_000
    return { perSecond, cpuUs: (user + system) / messageCount }
  }
}

/** Publishes and consumes in every way that the library has, first to warm up, then measured. */
export async function run(library: Library, request: RunRequest): Promise<RunResult> {
  if (request.warmUpCount > 0) await measure(library, { ...request, messageCount: request.warmUpCount }, 'warm')
  return measure(library, request, 'bench')
}

async function measure(library: Library, request: RunRequest, prefix: string): Promise<RunResult> {
  const result: Record<string, Speed> = {}
  const topics = { publish: `${prefix}-single-${request.tag}`, 'publish batches': `${prefix}-batch-${request.tag}` }
  for (const [what, topic] of Object.entries(topics)) {
    // Every way to consume has a channel of its own that is there before anything is published.
    await post(request.httpPort, `/topic/create?topic=${topic}`)
    const channels = what === 'publish' ? library.consumers : library.consumers.slice(0, 1)
    for (const channel of channels)
      await post(request.httpPort, `/channel/create?topic=${topic}&channel=${nameOf(channel)}`)
    result[what] = await publishAll(library, request, topic, what === 'publish' ? 1 : BATCH_COUNT)
    for (const way of channels) {
      const speed = await consumeAll(library, request, topic, way)
      if (what === 'publish') result[way] = speed
    }
  }
  return result
}

/** Keeps as many in flight as may be until all are answered. */
async function publishAll(library: Library, request: RunRequest, topic: string, batchCount: number): Promise<Speed> {
  const { messageCount, bodySizeBytes, inFlight } = request
  const template = buildBody(request.tag, bodySizeBytes)
  const bodyOf = (serial: number): Buffer => {
    const body = Buffer.from(template)
    patchSerial(new DataView(body.buffer, body.byteOffset, body.length), 0, bodySizeBytes, serial)
    return body
  }
  const publisher = await library.open(request.port)
  const watch = new Stopwatch()
  await new Promise<void>((resolve, reject) => {
    let next = 0
    let answered = 0
    let unanswered = 0
    const fill = (): void => {
      while (next < messageCount && unanswered < inFlight) {
        const count = Math.min(batchCount, messageCount - next)
        const done = (error: unknown): void => {
          if (error !== null && error !== undefined) reject(error)
          unanswered -= count
          answered += count
          if (answered === messageCount) resolve()
          else fill()
        }
        unanswered += count
        if (batchCount === 1) publisher.publish(topic, bodyOf(next), done)
        else
          publisher.publishBatch(
            topic,
            Array.from({ length: count }, (_, index) => bodyOf(next + index)),
            done,
          )
        next += count
      }
    }
    fill()
  })
  const speed = watch.speed(messageCount)
  await publisher.close()
  return speed
}

/** From the first message to the last. @throws Error when anything is lost, changed or there twice */
async function consumeAll(library: Library, request: RunRequest, topic: string, way: string): Promise<Speed> {
  const { messageCount, bodySizeBytes, inFlight: maxInFlight, port, tag } = request
  const ledger = new Ledger(messageCount, tag, bodySizeBytes)
  let watch: Stopwatch | null = null
  let speed: Speed | null = null
  const take = (body: Buffer, attempts: number): boolean => {
    watch ??= new Stopwatch()
    ledger.record(body, new DataView(body.buffer, body.byteOffset, body.length), 0, body.length, attempts)
    if (!ledger.complete) return false
    speed ??= watch.speed(messageCount)
    return true
  }
  await library.consume(way, { port, topic, channel: nameOf(way), maxInFlight, take })
  const { receivedCount, corruptCount, duplicateCount, redeliveredCount } = ledger
  if (speed === null || receivedCount !== messageCount || corruptCount + duplicateCount + redeliveredCount > 0) {
    const wrong = `${corruptCount} changed, ${duplicateCount + redeliveredCount} more than once`
    throw new Error(`${topic}, ${way}: ${receivedCount} of ${messageCount} received, ${wrong}`)
  }
  return speed
}

/** Of a channel. */
function nameOf(way: string): string {
  return way.replaceAll(' ', '-')
}

async function post(port: number, path: string): Promise<void> {
  const { ok, status } = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' })
  if (!ok) throw new Error(`${path}: ${status}`)
}
