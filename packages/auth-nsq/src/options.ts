export interface NsqAuthOptions {
  /** `host:port`, asked at `/auth`, or URLs; one after the other, beginning anywhere, until one answers. */
  readonly addresses: readonly string[]
  readonly requestMethod: 'get' | 'post'
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  /** PEM file of the authorities of `https` servers, relative to the configuration file, read at the start and at SIGHUP; those of the system without it. */
  readonly rootCaPath?: string
}

const duration = (defaultMs: number, description: string) => ({
  type: 'number',
  minimum: 1,
  default: defaultMs,
  description,
})

export const OPTIONS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['addresses'],
  properties: {
    addresses: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1 },
      description: 'Auth servers: host:port, asked at /auth, or URLs. One after the other until one answers.',
    },
    requestMethod: { enum: ['get', 'post'], default: 'get', description: 'How they are asked.' },
    connectTimeoutMs: duration(2_000, 'How long connecting to one may take.'),
    requestTimeoutMs: duration(5_000, 'How long one may take to answer.'),
    rootCaPath: {
      type: 'string',
      minLength: 1,
      description: 'PEM file of the authorities of https servers; those of the system without it.',
    },
  },
} as const
