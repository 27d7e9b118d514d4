/** Somebody, and what they may do. */
export interface UserOptions {
  /** They authenticate with `name:secret`. */
  readonly name: string
  /** As `spillway hash-secret` prints it. */
  readonly secretHash: string
  /** Topics; a `*` at the end stands for anything. */
  readonly publish: readonly string[]
  /** `topic/channel`, or a topic for all its channels; a `*` at the end of either stands for anything. */
  readonly subscribe: readonly string[]
  /** May do everything, administration included. */
  readonly admin: boolean
}

export interface StaticAuthOptions {
  readonly users: readonly UserOptions[]
}

const names = (pattern: string, description: string) => ({
  type: 'array',
  default: [],
  items: { type: 'string', pattern },
  description,
})

export const OPTIONS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['users'],
  properties: {
    users: {
      type: 'array',
      description: 'Who there is, and what they may do.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'secretHash'],
        properties: {
          name: { type: 'string', pattern: '^[^:]+$', description: 'They authenticate with name:secret.' },
          secretHash: {
            type: 'string',
            pattern: '^scrypt:[0-9]+:[0-9]+:[0-9]+:[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+$',
            description: 'As `spillway hash-secret` prints it.',
          },
          publish: names('^([^/*]+\\*?|\\*)$', 'Topics; a * at the end stands for anything.'),
          subscribe: names(
            '^([^/*]+\\*?|\\*)(/([^/*]+\\*?|\\*))?$',
            'topic/channel, or a topic for all its channels; a * at the end of either stands for anything.',
          ),
          admin: { type: 'boolean', default: false, description: 'May do everything, administration included.' },
        },
      },
    },
  },
} as const
