import assert from 'node:assert/strict'
import { FakeClock, TestLogger } from '@spillway/core/testing'
import { Lookupd, type LookupdOptions } from '../../src/index.js'
import { V1Client } from './v1-client.js'

export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

/** An nsqlookupd on free ports, whose time the test moves. */
export class TestLookupd {
  readonly clock = new FakeClock()
  readonly logger = new TestLogger()
  readonly lookupd: Lookupd
  readonly #clients: V1Client[] = []

  constructor(options: Partial<LookupdOptions> = {}) {
    const addresses = { tcpAddress: '127.0.0.1:0', httpAddress: '127.0.0.1:0', broadcastAddress: 'lookup.test' }
    this.lookupd = new Lookupd({ ...addresses, ...options }, this)
  }

  static async start(options?: Partial<LookupdOptions>): Promise<TestLookupd> {
    const test = new TestLookupd(options)
    await test.lookupd.start()
    return test
  }

  get tcpPort(): number {
    return this.lookupd.tcpAddress?.port ?? 0
  }

  get httpPort(): number {
    return this.lookupd.httpAddress?.port ?? 0
  }

  /** An nsqd that has said who it is. */
  async connect(info: object = {}): Promise<V1Client> {
    const client = await this.connectUnidentified()
    await client.identify(info)
    return client
  }

  async connectUnidentified(): Promise<V1Client> {
    const client = await V1Client.connect(this.tcpPort)
    this.#clients.push(client)
    return client
  }

  async request(method: string, path: string): Promise<Answer> {
    const answer = await fetch(`http://127.0.0.1:${this.httpPort}${path}`, { method, redirect: 'manual' })
    return { status: answer.status, text: await answer.text(), headers: answer.headers }
  }

  /** What a good GET shows. */
  async show<T>(path: string): Promise<T> {
    const { status, text } = await this.request('GET', path)
    assert.equal(status, 200, `${path}: ${text}`)
    return JSON.parse(text)
  }

  /** A POST that is answered with 200 and nothing. */
  async post(path: string): Promise<void> {
    const { status, text } = await this.request('POST', path)
    assert.deepEqual([status, text], [200, ''], path)
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy()
    await this.lookupd.stop()
  }
}
