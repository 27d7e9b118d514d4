export interface NsqlookupdOptions {
  /** `host:port` of the nsqlookupd of the cluster: all of them are told everything. May be changed at run time. */
  readonly tcpAddresses: readonly string[]
  /** How long connecting to one may take, the look-up of its name included. */
  readonly connectTimeoutMs: number
  /** How long one may take for each answer. */
  readonly answerTimeoutMs: number
  readonly pingIntervalMs: number
  /** The longest wait before the next try to connect. */
  readonly reconnectDelayMsMax: number
  /** The same as {@link connectTimeoutMs}, for asking one over HTTP which channels a topic has. */
  readonly httpConnectTimeoutMs: number
  /** How long its whole answer may take. */
  readonly httpRequestTimeoutMs: number
}

const duration = (defaultMs: number, description: string) => ({
  type: 'number',
  minimum: 1,
  default: defaultMs,
  description,
})

/** Timeouts and intervals are nsqd's. */
export const OPTIONS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    tcpAddresses: {
      type: 'array',
      default: [],
      items: {
        type: 'string',
        pattern: '^(\\[[^\\[\\]]*\\]|[^\\[\\]:]*):[0-9]{1,5}$',
        description: 'host:port of an nsqlookupd.',
        examples: ['127.0.0.1:4160'],
      },
      description: 'Every nsqlookupd, as host:port.',
    },
    connectTimeoutMs: duration(1_000, 'How long connecting to one may take.'),
    answerTimeoutMs: duration(1_000, 'How long one may take for each answer.'),
    pingIntervalMs: duration(15_000, 'How often each is told that this node is still there.'),
    reconnectDelayMsMax: duration(
      15_000,
      'The longest wait before the next try to connect; the first is at most 1000.',
    ),
    httpConnectTimeoutMs: duration(2_000, "How long connecting to one's HTTP port may take."),
    httpRequestTimeoutMs: duration(5_000, 'How long one may take to answer which channels a topic has.'),
  },
} as const
