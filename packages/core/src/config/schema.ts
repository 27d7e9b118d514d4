import type { NodeLimits } from './config.js'

/** The part of JSON Schema that our own schemas use; plugins may use all of draft 2020-12. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

const sizeBytes = (description: string, defaultSizeBytes: number, minimum = 1): JsonSchema => ({
  type: 'integer',
  minimum,
  default: defaultSizeBytes,
  description: `${description} Bytes.`,
})

const durationMs = (description: string, defaultMs: number, minimum = 0): JsonSchema => ({
  type: 'number',
  minimum,
  default: defaultMs,
  description: `${description} Milliseconds.`,
})

const count = (description: string, defaultCount: number): JsonSchema => ({
  type: 'integer',
  minimum: 0,
  default: defaultCount,
  description,
})

const port = (description: string): JsonSchema => ({
  type: 'integer',
  minimum: 0,
  maximum: 65_535,
  default: 0,
  description,
})

const text = (description: string): JsonSchema => ({ type: 'string', default: '', description })

/** One entry for each limit of the broker, with nsqd's default. */
const LIMITS = {
  msgTimeoutMs: durationMs('A message that is not finished within this time is delivered again.', 60_000, 1),
  msgTimeoutMsMax: durationMs(
    'The longest msg_timeout that a client may ask for, and the furthest that TOUCH may push a deadline.',
    900_000,
    1,
  ),
  reqTimeoutMsMax: durationMs('The longest delay of REQ and DPUB.', 3_600_000),
  msgSizeBytesMax: sizeBytes('The largest message.', 1_048_576),
  bodySizeBytesMax: sizeBytes('The largest body of one command.', 5_242_880),
  readyCountMax: { type: 'integer', minimum: 1, default: 2_500, description: 'The highest RDY count.' },
  heartbeatIntervalMs: durationMs('How often a heartbeat goes to clients that did not choose.', 30_000, 1),
  heartbeatIntervalMsMax: durationMs('The longest heartbeat interval that a client may ask for.', 60_000),
  outputBufferSizeBytes: sizeBytes('Output buffer of clients that did not choose.', 16_384),
  outputBufferSizeBytesMax: sizeBytes('The largest output buffer that a client may ask for.', 65_536),
  outputBufferTimeoutMs: durationMs('How long output may wait in the buffer, for clients that did not choose.', 250),
  outputBufferTimeoutMsMin: durationMs('The shortest output buffer timeout that a client may ask for.', 25),
  outputBufferTimeoutMsMax: durationMs('The longest output buffer timeout that a client may ask for.', 30_000),
  deflateLevelMax: {
    type: 'integer',
    minimum: 1,
    maximum: 9,
    default: 6,
    description: 'The highest level of deflate that clients are granted.',
  },
  e2eLatencyQuantiles: {
    type: 'array',
    default: [],
    items: { type: 'number', minimum: 1e-9, maximum: 1 },
    description:
      'Quantiles of the time from publish to finish that /stats, statsd and /metrics show, such as [0.99, 0.5]. Without them nothing is measured.',
  },
  e2eLatencyWindowMs: durationMs('The time that these quantiles are of.', 600_000, 1_000),
  broadcastTcpPort: port('The port for V2 clients that others are told; 0: the one that is listened on.'),
  broadcastHttpPort: port('The port for HTTP clients that others are told; 0: the one that is listened on.'),
  topologyRegion: text('The region that this node is in, as clients and nsqlookupd are told.'),
  topologyZone: text('The zone that this node is in, as clients and nsqlookupd are told.'),
  channelConsumersMax: count('Consumers per channel; 0 is unlimited.', 0),
  memQueueSize: count('Messages that wait on an ephemeral topic or channel before the newest are dropped.', 10_000),
  memorySizeBytesMax: {
    type: 'integer',
    minimum: 16_777_216,
    description:
      'What messages in memory, bodies being read and output buffers may take together before publishes are refused. Bytes. Without it: half of the memory of the machine or container, and at most 512 MiB where the storage keeps messages on disk.',
  },
  discoveryTimeoutMsMax: durationMs(
    "How long a new topic's messages wait for discovery to say which channels it has elsewhere.",
    5_000,
  ),
} as const satisfies Record<keyof NodeLimits, JsonSchema>

/** The `node` section. */
export const NODE_SCHEMA = {
  type: 'object',
  description: 'This node: where it keeps data, what it says of itself, its limits.',
  default: {},
  additionalProperties: false,
  properties: {
    dataPath: {
      type: 'string',
      minLength: 1,
      default: './data',
      description: 'Folder of everything that is stored, relative to the configuration file.',
    },
    broadcastAddress: {
      type: 'string',
      minLength: 1,
      description: 'The address under which others reach this node. Without it: the host name.',
      examples: ['127.0.0.1'],
    },
    hostname: { type: 'string', minLength: 1, description: 'What the node calls itself. Without it: the host name.' },
    logLevel: {
      enum: ['debug', 'info', 'warn', 'error', 'fatal'],
      default: 'info',
      description: 'Log lines below this level are dropped.',
    },
    drainTimeoutMs: durationMs('How long a stop waits for accepted commands to be answered.', 5_000),
    ...LIMITS,
  },
} as const satisfies JsonSchema

const use = {
  type: 'string',
  minLength: 1,
  description: 'A package name, or a path (./, ../ or / first) relative to this file.',
  examples: ['@spillway/storage-memory', './my-plugin.js'],
} as const

const pluginUse = (description: string, options: JsonSchema): JsonSchema => ({
  type: 'object',
  description,
  additionalProperties: false,
  required: ['use'],
  properties: { use, options },
})

const durability = { enum: ['none', 'process', 'power'] } as const

const anyOptions = { type: 'object', description: "The plugin's own options." } as const

/** A whole configuration file, as far as core knows it; the options of each plugin are checked with its own schema. */
export const CONFIG_SCHEMA = {
  title: 'Spillway configuration',
  type: 'object',
  additionalProperties: false,
  required: ['storage', 'transports'],
  properties: {
    $schema: { type: 'string', description: 'For editors.' },
    node: NODE_SCHEMA,
    storage: pluginUse('Where messages are kept.', {
      ...anyOptions,
      properties: {
        durability: {
          ...durability,
          description:
            'What an OK promises: "none" may be lost with the process, "process" survives kill -9, "power" survives loss of power. Without it: "process" where the storage offers that, otherwise the weakest that it offers.',
        },
        durabilityByTopic: {
          type: 'object',
          description:
            'Other durabilities for some topics, by name, or by the beginning of names with * behind it: { "orders": "power", "metrics.*": "none" }. The name itself counts first, then the longest beginning.',
          propertyNames: { pattern: '^([.a-zA-Z0-9_-]{1,64}\\*?|\\*)$', examples: ['metrics.*'] },
          additionalProperties: durability,
        },
      },
    }),
    transports: {
      type: 'array',
      description: 'How clients reach the broker.',
      items: pluginUse('One listener.', anyOptions),
    },
    discovery: {
      type: 'array',
      description: 'Who is told about topics and channels, and asked for them.',
      items: pluginUse('One discovery service.', anyOptions),
    },
    queue: pluginUse('The order in which channels give out messages. Without it: first in, first out.', anyOptions),
    authenticator: pluginUse('Who may publish and consume. Without it: everybody.', anyOptions),
    telemetry: pluginUse('Traces and metrics of messages. Without it: none.', anyOptions),
    reporters: {
      type: 'array',
      description: "Who is sent the node's statistics from time to time.",
      items: pluginUse('One receiver of statistics.', anyOptions),
    },
  },
} as const satisfies JsonSchema
