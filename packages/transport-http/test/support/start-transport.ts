import plugin, { HttpTransport, type HttpTransportOptions } from '../../src/index.js'
import { FakeBroker } from './fake-broker.js'
import { type Answer, RawClient, type RequestOptions, request } from './http-client.js'

const DEFAULTS = Object.fromEntries(
  Object.entries((plugin.optionsSchema as { properties: Record<string, { default: unknown }> }).properties).map(
    ([name, { default: value }]) => [name, value],
  ),
) as unknown as HttpTransportOptions

let fastPublish = true

/** The options that the schema's defaults make, on a free port. */
export function transportOptions(options: Partial<HttpTransportOptions> = {}): HttpTransportOptions {
  return { ...DEFAULTS, address: '127.0.0.1:0', fastPublish, ...options }
}

/** The same behaviours, with the fast path for plain publishes and without it. */
export function describeBothWays(title: string, suite: () => void): void {
  for (const isFast of [true, false]) {
    describe(isFast ? title : `${title}, without the fast path`, () => {
      before(() => {
        fastPublish = isFast
      })
      after(() => {
        fastPublish = true
      })
      suite()
    })
  }
}

/** A transport on a free port with a broker behind it. */
export class TestTransport {
  readonly transport: HttpTransport
  readonly broker: FakeBroker
  readonly #clients: RawClient[] = []

  private constructor(transport: HttpTransport, broker: FakeBroker) {
    this.transport = transport
    this.broker = broker
  }

  static async start(
    options: Partial<HttpTransportOptions> = {},
    broker: FakeBroker = new FakeBroker(),
  ): Promise<TestTransport> {
    const transport = new HttpTransport(transportOptions(options), process.cwd())
    await transport.start(broker)
    broker.addresses = transport.addresses
    return new TestTransport(transport, broker)
  }

  get port(): number {
    return this.transport.addresses[0].port
  }

  request(method: string, path: string, options?: RequestOptions): Promise<Answer> {
    return request(this.port, method, path, options)
  }

  get(path: string): Promise<Answer> {
    return this.request('GET', path)
  }

  post(path: string, body: string | Buffer = ''): Promise<Answer> {
    return this.request('POST', path, { body })
  }

  connect(): RawClient {
    const client = new RawClient(this.port)
    this.#clients.push(client)
    return client
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy()
    await this.transport.stop()
  }
}
