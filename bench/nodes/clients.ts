import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { addUp, complaintOf } from '../src/ledger.js'
import { drawTag } from '../src/traffic.js'
import type { ClientOrder, FromClient, ToClient } from './client-main.js'

const CLIENT_MAIN = fileURLToPath(new URL('./client-main.js', import.meta.url))

/** One way to put load on brokers. */
export interface Load {
  readonly messageCount: number
  readonly bodySizeBytes: number
  readonly batchCount: number
  readonly connectionCount: number
}

export interface LoadResult {
  /** Of the client that took longest, from its first command to its last message. */
  readonly elapsedMs: number
  readonly clientCpuMs: number
}

/** The processes that publish and consume. */
export class Clients {
  readonly #children: readonly ChildProcess[]

  constructor(count: number) {
    this.#children = Array.from({ length: count }, () => fork(CLIENT_MAIN))
  }

  get pids(): number[] {
    return this.#children.map(({ pid }) => pid as number)
  }

  /**
   * Client after client takes one of the ports, and all begin at the same moment.
   * @param begin - called then
   * @throws Error a message was lost, changed or there twice, or a client failed
   */
  async run(ports: readonly number[], load: Load, begin: () => void): Promise<LoadResult> {
    const messageCount = Math.floor(load.messageCount / this.#children.length)
    const orders = this.#children.map((_, index): ClientOrder => {
      return { ...load, messageCount, port: ports[index % ports.length], tag: drawTag() }
    })
    await Promise.all(this.#children.map((child, index) => ask(child, { order: orders[index] })))
    begin()
    const answers = await Promise.all(this.#children.map((child) => ask(child, 'go')))
    const results = answers.filter((answer) => typeof answer === 'object' && 'cpuMs' in answer)
    const complaint = complaintOf(addUp(results.map(({ verification }) => verification)))
    if (complaint !== null) throw new Error(complaint)
    const elapsedMs = Math.max(...results.map((result) => result.elapsedMs))
    return { elapsedMs, clientCpuMs: results.reduce((sum, { cpuMs }) => sum + cpuMs, 0) }
  }

  close(): void {
    for (const child of this.#children) child.disconnect()
  }
}

function ask(child: ChildProcess, message: ToClient): Promise<FromClient> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error('a client ended'))
    child.once('exit', onExit)
    child.once('message', (answer: FromClient) => {
      child.off('exit', onExit)
      if (typeof answer === 'object' && 'failure' in answer) reject(new Error(answer.failure))
      else resolve(answer)
    })
    child.send(message)
  })
}
