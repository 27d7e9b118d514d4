import type { Random } from '../../support/random.js'
import { bytes, int32, type Step } from '../case.js'
import { BEYOND_64_BITS, DEBUG, LATER_FLAGS, MALFORMED_HTTP, METRICS } from '../differences.js'
import type { Conversation, Move } from './conversation.js'
import { badNames, badSizes, goodNames, mpubCountMax, numberText, randomBytes, someOf } from './parameters.js'
import { type Limits, NARROW, USUAL } from './settings.js'

type Request = Extract<Step, { request: string }>

export interface RequestMove extends Move {
  readonly request: Request
}

/** Requests, one after the other, and the statistics of what they may have left. */
export function requestsConversation(random: Random, seed: number, number: number): Conversation<RequestMove> {
  const { flags, limits } = random.chance(0.7) ? USUAL : NARROW
  const draw = new RequestDraw(random, `r${number}h`, limits)
  const moves = Array.from({ length: random.between(1, 8) }, () => draw.move())
  const targets = moves.map(({ request }) => decoded(request.request)).join('\n')
  const topics = goodNames(draw.topic).filter((name) => targets.includes(name))
  return {
    kind: 'requests',
    seed,
    number,
    flags,
    topics,
    moves,
    stepsOf: (moves) => [
      ...moves.map(({ request }) => request),
      ...topics.map((topic) => ({
        request: `GET /stats?format=json&include_mem=false&topic=${encodeURIComponent(topic)}`,
      })),
    ],
  }
}

const ACTS = ['create', 'delete', 'empty', 'pause', 'unpause']
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']
/** Whose values are the same for both brokers. */
const SETTINGS = [
  'log_level',
  'log_prefix',
  'verbose',
  'broadcast_http_port_x',
  'nsqlookupd_tcp_addresses',
  'auth_http_addresses',
  'http_client_connect_timeout',
  'http_client_request_timeout',
  'mem_queue_size',
  'max_bytes_per_file',
  'sync_every',
  'sync_timeout',
  'queue_scan_worker_pool_max',
  'queue_scan_selection_count',
  'msg_timeout',
  'max_msg_timeout',
  'max_msg_size',
  'max_req_timeout',
  'max_body_size',
  'max_heartbeat_interval',
  'max_rdy_count',
  'max_output_buffer_size',
  'max_output_buffer_timeout',
  'min_output_buffer_timeout',
  'output_buffer_timeout',
  'max_channel_consumers',
  'statsd_address',
  'statsd_interval',
  'statsd_mem_stats',
  'statsd_udp_packet_size',
  'e2e_processing_latency_percentiles',
  'e2e_processing_latency_window_time',
  'tls_required',
  'tls_client_auth_policy',
  'tls_root_ca_file',
  'deflate',
  'max_deflate_level',
  'snappy',
  'node_id',
  'LOG_LEVEL',
  'log-level',
  'nothing',
  'config',
  'version',
  '%6cog_level',
  'log_level/x',
]
const NEW_SETTINGS = ['auth_http_request_method', 'enable_experiment', 'topology_region', 'topology_zone']
/** They say what is so already: other conversations rely on it. */
const SETTING_BODIES = [
  'fatal',
  'FATAL',
  'Fatal',
  '[]',
  '"fatal"',
  'loud',
  '',
  'fatal ',
  '5',
  '{',
  '{}',
  '"a"',
  '[1]',
  '[null]',
  '[] x',
  ' []\n',
  'true',
  '\0',
]

class RequestDraw {
  readonly topic: string
  readonly #random: Random
  readonly #limits: Limits

  constructor(random: Random, topic: string, limits: Limits) {
    this.#random = random
    this.topic = topic
    this.#limits = limits
  }

  move(): RequestMove {
    const move = this.#plain()
    if (!this.#random.chance(0.05)) return move
    return { ...move, request: { ...move.request, tls: {} }, text: `${move.text}, by HTTPS` }
  }

  #plain(): RequestMove {
    const random = this.#random
    return random.pick([
      () => this.#publish(),
      () => this.#publish(),
      () => this.#publishMany(),
      () => this.#publishMany(),
      () => this.#administer('topic'),
      () => this.#administer('channel'),
      () => this.#administer('channel'),
      () => this.#stats(),
      () => this.#config(),
      () => this.#odd(),
      () => this.#odd(),
    ])()
  }

  #move(request: Request, differs: readonly string[] = []): RequestMove {
    const size =
      request.body === undefined
        ? ''
        : `, ${request.body.length} bytes ${JSON.stringify(String(request.body).slice(0, 60))}`
    const headers = request.headers === undefined ? '' : ` ${JSON.stringify(request.headers)}`
    const isMalformed = /[\x7f-\xff]/.test(request.request)
    return {
      request,
      text: `${request.request}${headers}${size}`,
      differs: isMalformed ? [...differs, MALFORMED_HTTP] : differs,
    }
  }

  #ask(
    method: string,
    path: string,
    query: string,
    body?: string | Uint8Array,
    differs?: readonly string[],
  ): RequestMove {
    const request = `${method} ${path}${query === '' ? '' : `?${query}`}`
    if (body === undefined) return this.#move({ request }, differs)
    const headers = this.#random.chance(0.2) ? { headers: { 'transfer-encoding': 'chunked' } } : {}
    return this.#move({ request, body, ...headers }, differs)
  }

  #topicParameters(): string[] {
    const random = this.#random
    const name = random.chance(0.75) ? random.pick(goodNames(this.topic)) : random.pick(badNames(this.topic))
    const good = `topic=${this.#encoded(name)}`
    if (random.chance(0.85)) return [good]
    return random.pick([
      [],
      ['topic'],
      ['topic='],
      [good, `topic=${this.topic}`],
      [`Topic=${this.topic}`],
      [`%74opic=${this.topic}`],
      [` topic=${this.topic}`.replace(' ', '+')],
    ])
  }

  #channelParameters(): string[] {
    const random = this.#random
    const name = random.chance(0.75) ? random.pick(goodNames('c')) : random.pick(badNames('c'))
    const good = `channel=${this.#encoded(name)}`
    if (random.chance(0.85)) return [good]
    return random.pick([[], ['channel'], ['channel='], [good, 'channel=c'], ['CHANNEL=c']])
  }

  /** As a query has it, and sometimes as it should not. */
  #encoded(name: string): string {
    const escaped = [...Buffer.from(name, 'latin1')].map((byte) => this.#escaped(byte)).join('')
    return this.#random.chance(0.97)
      ? escaped
      : escaped + this.#random.pick(['%', '%z', '%zz', '%4', ';', '+', '=', '#x', '%00', '\xe4'])
  }

  #escaped(byte: number): string {
    const text = String.fromCharCode(byte)
    const isPlain = /[A-Za-z0-9._-]/.test(text)
    if (isPlain && this.#random.chance(0.99)) return text
    const hex = byte.toString(16).padStart(2, '0')
    return `%${this.#random.chance(0.5) ? hex : hex.toUpperCase()}`
  }

  #query(parameters: readonly string[]): string {
    const random = this.#random
    const noise = random.chance(0.1)
      ? [random.pick(['', '', 'x', '=', '=x', 'a=b=c', 'x=%41', '&', '%', 'a;b', '+', 'x=%zz', '?', 'x=?'])]
      : []
    const all = [...parameters, ...noise]
    return (random.chance(0.2) ? all.toReversed() : all).join('&')
  }

  #method(usual: string): string {
    return this.#random.chance(0.95) ? usual : this.#random.pick(METHODS)
  }

  #path(path: string): string {
    const random = this.#random
    if (random.chance(0.93)) return path
    const at = random.between(1, path.length - 1)
    return random.pick([
      `${path}/`,
      `${path}//`,
      `/${path}`,
      path.toUpperCase(),
      path.replace(/[a-z]/, (letter) => letter.toUpperCase()),
      `/.${path}`,
      `/x/..${path}`,
      `/..${path}`,
      `${path}/.`,
      `${path}/..`,
      `${path}x`,
      path.slice(0, -1),
      `${path.slice(0, at)}%${path.charCodeAt(at).toString(16)}${path.slice(at + 1)}`,
      `${path}%20`,
      `${path}%00`,
      `${path}%`,
      `${path}%zz`,
      `${path}\xe4`,
      `${path};x`,
      `/${path.slice(1).replaceAll('/', '%2f')}`,
      path.replaceAll('/', '//'),
      `http://127.0.0.1${path}`,
      `http://else.where${path}`,
    ])
  }

  #publish(): RequestMove {
    const random = this.#random
    const delay = distant(numberText(random, 0, this.#limits.delayMsMax))
    const defer = random.chance(0.4) ? [`defer=${this.#encoded(delay)}`] : []
    const { msgBytesMax } = this.#limits
    const rarity = msgBytesMax > 1000 ? 0.1 : 1
    const body = random.pick([
      () => 'x',
      () => randomBytes(random, random.between(1, 200)),
      () => '',
      () => (random.chance(rarity) ? Buffer.alloc(msgBytesMax + random.pick([-1, 0, 1]), 'x') : 'hello'),
    ])()
    const query = this.#query([...this.#topicParameters(), ...defer])
    const isBeyond = defer.length > 0 && /^\+?[0-9]{13,}$/.test(delay)
    return this.#ask(this.#method('POST'), this.#path('/pub'), query, body, isBeyond ? [BEYOND_64_BITS] : [])
  }

  #publishMany(): RequestMove {
    const random = this.#random
    const binary = random.pick([
      [],
      [],
      ['binary=false'],
      ['binary=0'],
      ['binary=true'],
      ['binary=true'],
      ['binary=1'],
      [`binary=${random.pick(['yes', '', 'TRUE', 't'])}`],
      ['binary'],
    ])
    const isText = binary.length === 0 || /=(?:false|0)$/.test(binary[0])
    const query = this.#query([...this.#topicParameters(), ...binary])
    return this.#ask(this.#method('POST'), this.#path('/mpub'), query, isText ? this.#lines() : this.#batch())
  }

  #lines(): string | Uint8Array {
    const random = this.#random
    const { msgBytesMax, bodyBytesMax } = this.#limits
    const rarity = msgBytesMax > 1000 ? 1 : 10
    if (random.chance(0.03 * rarity)) return Buffer.alloc(msgBytesMax + random.pick([0, 1]), 'x')
    if (random.chance(0.01 * rarity)) {
      const line = `${'x'.repeat(Math.ceil(bodyBytesMax / 6))}\n`
      return Buffer.from(line.repeat(6)).subarray(0, bodyBytesMax + random.pick([0, 1]))
    }
    const lines = Array.from({ length: random.between(0, 5) }, () =>
      random.pick(['', 'x', 'a line', '\r', ' ', '\0', randomBytes(random, 10).toString('latin1')]),
    )
    return Buffer.from(lines.join('\n') + random.pick(['', '\n']), 'latin1')
  }

  #batch(): Uint8Array {
    const random = this.#random
    const countMax = mpubCountMax(this.#limits)
    const sizes = Array.from({ length: random.between(0, 4) }, () =>
      random.chance(0.1) ? random.pick(badSizes(this.#limits.msgBytesMax)) : random.between(1, 20),
    )
    const count = random.chance(0.8) ? sizes.length : random.pick([0, -1, 1, sizes.length + 1, countMax, countMax + 1])
    const messages = sizes.map((size) => bytes(int32(size), randomBytes(random, Math.max(0, Math.min(size, 20)))))
    const body = bytes(int32(count), ...messages, random.chance(0.1) ? 'behind' : '')
    return random.chance(0.85) ? body : body.subarray(0, random.between(0, body.length))
  }

  #administer(what: 'topic' | 'channel'): RequestMove {
    const random = this.#random
    const parameters = [
      ...this.#topicParameters(),
      ...(what === 'channel' || random.chance(0.1) ? this.#channelParameters() : []),
    ]
    const act = random.chance(0.5) ? 'create' : random.pick(ACTS)
    const body = random.chance(0.1) ? 'topic=x' : undefined
    return this.#ask(this.#method('POST'), this.#path(`/${what}/${act}`), this.#query(parameters), body)
  }

  #stats(): RequestMove {
    const random = this.#random
    const flags = ['true', 'false', '1', '0', '', 'x', 'False']
    const parameters = [
      ...random.pick([['format=json'], ['format=json'], ['format=text'], ['format=JSON'], ['format='], []]),
      ...(random.chance(0.6) ? this.#topicParameters() : []),
      ...(random.chance(0.3) ? this.#channelParameters() : []),
      ...someOf(random, ['include_clients', 'include_mem'], 0.5).map((name) => `${name}=${random.pick(flags)}`),
    ]
    return this.#ask(this.#method('GET'), this.#path('/stats'), this.#query(parameters))
  }

  #config(): RequestMove {
    const random = this.#random
    const name = random.chance(0.95) ? random.pick(SETTINGS) : random.pick(NEW_SETTINGS)
    const differs = NEW_SETTINGS.includes(name) ? [LATER_FLAGS] : []
    const path = this.#path(`/config/${name}`)
    const query = random.chance(0.1) ? this.#query([]) : ''
    if (random.chance(0.5)) return this.#ask(this.#method('GET'), path, query, undefined, differs)
    const setting = random.chance(0.6) ? random.pick(['log_level', 'nsqlookupd_tcp_addresses']) : name
    return this.#ask('PUT', this.#path(`/config/${setting}`), query, random.pick(SETTING_BODIES), differs)
  }

  /** Paths and methods that are not there, or not quite. */
  #odd(): RequestMove {
    const random = this.#random
    const paths = [
      '/',
      '/ping',
      '/info',
      '/stats',
      '/pub',
      '/mpub',
      '/topic',
      '/topic/',
      '/topic/x',
      '/channel/create',
      '/config',
      '/config/',
      '/favicon.ico',
      '/put',
      '/create_topic',
      '/*',
    ]
    if (random.chance(0.05))
      return this.#ask(
        random.pick(METHODS),
        random.pick([
          '/debug',
          '/debug/pprof',
          '/debug/pprof/cmdline',
          '/debug/pprof/',
          '/debug/freememory',
          '/debug/setblockrate',
        ]),
        '',
        undefined,
        [DEBUG],
      )
    if (random.chance(0.03)) return this.#ask(random.pick(METHODS), '/metrics', '', undefined, [METRICS])
    const body = random.chance(0.3) ? random.pick(['', 'x']) : undefined
    return this.#ask(random.pick(['GET', ...METHODS]), this.#path(random.pick(paths)), this.#query([]), body)
  }
}

/** What is due in a moment is so at another moment in nsqd. */
function distant(delay: string): string {
  return Number(delay) > 0 && Number(delay) < 60_000 ? '60000' : delay
}

const decoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
