import assert from 'node:assert/strict'
import { eventually } from '../support/eventually.js'
import { type HttpAnswer, HttpClient } from '../support/http-client.js'
import type { Program } from '../support/program.js'
import type { RunningBroker } from '../support/start-broker.js'
import type { NsqPrograms } from './nsq-programs.js'

const START_LIMIT_MS = 10_000

/** A view of nsqadmin's API, as far as the tests look at it. Every sum is over the nodes. */
export interface TopicView {
  readonly topic_name: string
  readonly depth: number
  readonly memory_depth: number
  readonly backend_depth: number
  readonly message_count: number
  readonly paused: boolean
  readonly nodes: readonly TopicView[] | null
  readonly channels: readonly ChannelView[] | null
  readonly e2e_processing_latency: LatencyView
}

export interface ChannelView extends Omit<TopicView, 'nodes' | 'channels'> {
  readonly node: string
  readonly channel_name: string
  readonly in_flight_count: number
  readonly deferred_count: number
  readonly requeue_count: number
  readonly timeout_count: number
  readonly client_count: number
  readonly nodes: readonly ChannelView[] | null
  readonly clients: readonly ClientView[] | null
}

export interface ClientView {
  readonly node: string
  readonly client_id: string
  readonly hostname: string
  readonly user_agent: string
  readonly ready_count: number
  readonly in_flight_count: number
  readonly finish_count: number
  readonly message_count: number
  readonly sample_rate: number
  readonly connected: number
  readonly deflate: boolean
  readonly snappy: boolean
  readonly tls: boolean
  readonly tls_version: string
  readonly tls_cipher_suite: string
  readonly authed: boolean
  readonly auth_identity: string
}

export interface LatencyView {
  readonly count: number
  readonly percentiles: readonly { readonly quantile: number; readonly max: number; readonly average: number }[] | null
}

/** A running nsqadmin that asks the given nodes. */
export class NsqAdmin {
  readonly #http: HttpClient

  private constructor(http: HttpClient) {
    this.#http = http
  }

  static async start(programs: NsqPrograms, brokers: readonly RunningBroker[], ...flags: string[]): Promise<NsqAdmin> {
    const nodes = brokers.map(({ httpAddress }) => `--nsqd-http-address=${httpAddress}`)
    return NsqAdmin.startWith(programs, ...nodes, ...flags)
  }

  /** One that is told by its flags whom to ask. */
  static async startWith(programs: NsqPrograms, ...flags: readonly string[]): Promise<NsqAdmin> {
    const program = programs.start('nsqadmin', ['--http-address=127.0.0.1:0', ...flags])
    const port = await eventually(() => portOf(program), START_LIMIT_MS, 'nsqadmin')
    return new NsqAdmin(new HttpClient({ host: '127.0.0.1', port }))
  }

  /** What it shows; it must have nothing to complain of. */
  async show<T>(path: string): Promise<T> {
    const { status, text } = await this.#http.get(path)
    assert.equal(status, 200, `${path}: ${text}`)
    const { message, ...view } = JSON.parse(text)
    assert.equal(message, '', path)
    return view as T
  }

  get(path: string): Promise<HttpAnswer> {
    return this.#http.get(path)
  }

  post(path: string, body: object): Promise<HttpAnswer> {
    return this.#http.post(path, JSON.stringify(body))
  }

  delete(path: string, body?: object): Promise<HttpAnswer> {
    return this.#http.delete(path, body === undefined ? '' : JSON.stringify(body))
  }
}

function portOf(program: Program): number | undefined {
  const port = /HTTP: listening on 127\.0\.0\.1:(\d+)/.exec(program.stderr)?.[1]
  return port === undefined ? undefined : Number(port)
}
