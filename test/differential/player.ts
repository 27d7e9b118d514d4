import { within } from '../support/within.js'
import type { Case, Step } from './case.js'
import type { Credentials } from './credentials.js'
import { ask } from './http-exchange.js'
import { PlayedConnection } from './played-connection.js'

const LIMIT_MS = 8_000
const POLL_MS = 20

/** Where a broker is. */
export interface Place {
  readonly tcpPort: number
  readonly httpPort: number
  /** 0 when it does not listen for HTTPS. */
  readonly httpsPort: number
  readonly credentials: Credentials
}

/** Plays a case and returns what came back, a line for each frame, end and answer. */
export async function play({ steps, name }: Pick<Case, 'steps' | 'name'>, place: Place): Promise<string[]> {
  const connections = new Map<string, PlayedConnection>()
  const transcript: string[] = []
  try {
    for (const step of steps)
      transcript.push(...(await within(run(step), LIMIT_MS, `${name}: ${JSON.stringify(step).slice(0, 200)}`)))
    return transcript
  } finally {
    for (const connection of connections.values()) connection.close()
  }

  async function run(step: Step): Promise<string[]> {
    if ('connect' in step) {
      connections.set(step.connect, await PlayedConnection.open(place.tcpPort))
      return []
    }
    if ('request' in step) return [await askAt(place, step)]
    if ('until' in step) {
      for (;;) {
        const answer = await askAt(place, { request: step.until })
        if (step.matches.test(answer)) return []
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    }
    const lines = await runOn(connections.get(step.on) as PlayedConnection, step, place.credentials)
    return lines.map((line) => `${step.on}: ${line}`)
  }
}

async function runOn(
  connection: PlayedConnection,
  step: Extract<Step, { on: string }>,
  credentials: Credentials,
): Promise<string[]> {
  if ('frames' in step) return connection.frames(step.frames)
  if ('rest' in step) return connection.rest()
  if ('change' in step) {
    if (step.change === 'tls') return [await connection.encrypt(credentials.optionsFor(step.tls ?? {}))]
    connection.compress(step.change)
  } else if ('send' in step) connection.send(step.send)
  else if ('beneath' in step) connection.sendBeneath(step.beneath)
  else if (step.end === 'beneath') connection.endBeneath()
  else connection.end()
  return []
}

function askAt(place: Place, step: Extract<Step, { request: string }>): Promise<string> {
  return ask({
    line: step.request,
    body: step.body ?? '',
    headers: step.headers ?? {},
    port: step.tls === undefined ? place.httpPort : place.httpsPort,
    tls: step.tls === undefined ? null : place.credentials.optionsFor(step.tls),
  })
}
