import { within } from '../support/within.js'
import type { Case, Step } from './case.js'
import type { Credentials } from './credentials.js'
import { ask } from './http-exchange.js'
import { PlayedConnection } from './played-connection.js'

const LIMIT_MS = 30_000
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
  const player = new Player(place)
  try {
    for (const step of steps) await player.run(step, LIMIT_MS)
    return player.transcript
  } catch (error) {
    throw new Error(name, { cause: error })
  } finally {
    player.close()
  }
}

/** Takes one step after the other, with all connections of a case. */
export class Player {
  readonly transcript: string[] = []
  readonly #place: Place
  readonly #connections = new Map<string, PlayedConnection>()

  constructor(place: Place) {
    this.#place = place
  }

  /** @throws Error when the step has not come to an end within `limitMs` */
  async run(step: Step, limitMs: number): Promise<void> {
    this.transcript.push(...(await within(this.#run(step), limitMs, shown(step))))
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close()
  }

  async #run(step: Step): Promise<string[]> {
    if ('connect' in step) {
      this.#connections.set(step.connect, await PlayedConnection.open(this.#place.tcpPort))
      return []
    }
    if ('request' in step) return [await this.#ask(step)]
    if ('until' in step) {
      for (;;) {
        const answer = await this.#ask({ request: step.until })
        if (step.matches.test(answer)) return []
        await new Promise((resolve) => setTimeout(resolve, POLL_MS))
      }
    }
    const lines = await this.#runOn(this.#connections.get(step.on) as PlayedConnection, step)
    return lines.map((line) => `${step.on}: ${line}`)
  }

  async #runOn(connection: PlayedConnection, step: Extract<Step, { on: string }>): Promise<string[]> {
    if ('frames' in step) {
      const lines = await connection.frames(step.frames)
      return step.inAnyOrder === true ? lines.toSorted() : lines
    }
    if ('rest' in step) return connection.rest()
    if ('change' in step) {
      if (step.change === 'tls') return [await connection.encrypt(this.#place.credentials.optionsFor(step.tls ?? {}))]
      connection.compress(step.change)
    } else if ('send' in step) connection.send(this.#filled(step.send, connection))
    else if ('beneath' in step) connection.sendBeneath(step.beneath)
    else if (step.end === 'beneath') connection.endBeneath()
    else connection.end()
    return []
  }

  /** With ids of messages where a place is for them. */
  #filled(data: string | Uint8Array, connection: PlayedConnection): Buffer {
    const text = Buffer.from(data as string).toString('latin1')
    const filled = text.replace(/\{(?:(\w+)\.)?id:(\d+)\}/g, (_, name: string | undefined, index: string) => {
      const source = name === undefined ? connection : (this.#connections.get(name) as PlayedConnection)
      return source.messageId(Number(index))
    })
    return Buffer.from(filled, 'latin1')
  }

  #ask(step: Extract<Step, { request: string }>): Promise<string> {
    const { tcpPort: _, httpPort, httpsPort, credentials } = this.#place
    return ask({
      line: step.request,
      body: step.body ?? '',
      headers: step.headers ?? {},
      port: step.tls === undefined ? httpPort : httpsPort,
      tls: step.tls === undefined ? null : credentials.optionsFor(step.tls),
    })
  }
}

const shown = (step: Step): string => JSON.stringify(step).slice(0, 200)
