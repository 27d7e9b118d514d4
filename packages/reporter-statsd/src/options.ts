export interface StatsdOptions {
  /** `host:port` of the statsd daemon. */
  readonly address: string
  /** In front of every name; `%s` stands for this node's address. */
  readonly prefix: string
  readonly intervalMs: number
  /** Whether the process's memory is told of. */
  readonly memStats: boolean
  readonly packetSizeBytes: number
  readonly excludeEphemeral: boolean
}

export const OPTIONS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['address'],
  properties: {
    address: { type: 'string', pattern: '^.*:[0-9]{1,5}$', description: 'host:port of the statsd daemon.' },
    prefix: {
      type: 'string',
      default: 'nsq.%s',
      description: "In front of every name; %s stands for this node's broadcast address and HTTP port.",
    },
    intervalMs: { type: 'number', minimum: 1, default: 60_000, description: 'How often it is sent.' },
    memStats: { type: 'boolean', default: true, description: "Whether the process's memory is told of." },
    packetSizeBytes: { type: 'integer', minimum: 1, default: 508, description: 'The largest packet.' },
    excludeEphemeral: { type: 'boolean', default: false, description: 'Leaves ephemeral topics and channels out.' },
  },
} as const
