import { Session } from 'node:inspector/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { HttpError, parseParams } from '@spillway/http'
import type { Exchange } from '../exchange.js'

/** What is looked into takes the whole process: one at a time. */
let isBusy = false
const PROFILE_SECONDS = 30
const PROFILE_SECONDS_MAX = 300

const INDEX = `What this node can tell of its process:

/debug/pprof/profile?seconds=30    CPU profile; save it as .cpuprofile and open it in Chrome's DevTools
/debug/pprof/heap                  heap snapshot; save it as .heapsnapshot. The node stands still while it is taken
/debug/pprof/goroutine             what keeps the event loop busy: handles and requests, by kind
/debug/pprof/cmdline               how it was started
POST /debug/freememory             collects garbage now
`

export async function pprof(exchange: Exchange): Promise<void> {
  switch (exchange.pathRest) {
    case '':
      return exchange.sendText(INDEX)
    case 'cmdline':
      return exchange.sendText(process.argv.join('\0'))
    case 'goroutine':
      return exchange.sendText(resources())
    case 'profile':
      return exchange.sendJson(200, await alone(() => cpuProfile(exchange, secondsOf(exchange))))
    case 'heap':
      return exchange.sendJson(200, await alone(heapSnapshot))
    default:
      throw new HttpError(404, 'NOT_FOUND')
  }
}

export function freeMemory(exchange: Exchange): void {
  // Node shows the collector only to those who ask for it at the start, or here.
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  exchange.sendEmpty()
}

/** There is nothing to set: JavaScript does not block. */
export function setBlockRate(exchange: Exchange): void {
  const rate = parseParams(exchange.rawQuery).get('rate') ?? ''
  if (!/^[+-]?[0-9]+$/.test(rate)) exchange.sendPlainText(400, `invalid block rate : ${rate}`)
  else exchange.sendEmpty()
}

function secondsOf(exchange: Exchange): number {
  const seconds = Number(parseParams(exchange.rawQuery).get('seconds') ?? PROFILE_SECONDS)
  if (!(seconds > 0 && seconds <= PROFILE_SECONDS_MAX)) throw new HttpError(400, 'INVALID_REQUEST')
  return seconds
}

async function alone<T>(work: () => Promise<T>): Promise<T> {
  if (isBusy) throw new HttpError(503, 'BUSY')
  isBusy = true
  try {
    return await work()
  } finally {
    isBusy = false
  }
}

async function cpuProfile(exchange: Exchange, seconds: number): Promise<string> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    await wait(seconds, exchange)
    const { profile } = await session.post('Profiler.stop')
    return JSON.stringify(profile)
  } finally {
    session.disconnect()
  }
}

/**
 * Ends early when the client goes, or the node: what there is by then is the answer. A client that has only ended its half
 * of the connection cannot be told from one that has gone.
 */
function wait(seconds: number, { request: { socket }, node: { connections } }: Exchange): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      socket.off('end', end).off('close', end)
      connections.draining.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, seconds * 1000)
    socket.on('end', end).on('close', end)
    connections.draining.addEventListener('abort', end)
    if (socket.readableEnded || socket.destroyed || connections.isDraining) end()
  })
}

async function heapSnapshot(): Promise<string> {
  const session = new Session()
  const parts: string[] = []
  session.connect()
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ params }) => parts.push(params.chunk))
  try {
    await session.post('HeapProfiler.takeHeapSnapshot')
    return parts.join('')
  } finally {
    session.disconnect()
  }
}

function resources(): string {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  return [...counts].map(([kind, count]) => `${count} ${kind}\n`).join('')
}
