export interface StaticDiscoveryOptions {
  /**
   * Channels by topic. A key is the name of a topic, or the beginning of names with `*` behind it; a topic has the channels of
   * all the keys that fit.
   */
  readonly topics: Readonly<Record<string, readonly string[]>>
}

const NAME = '[.a-zA-Z0-9_-]'

export const OPTIONS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['topics'],
  properties: {
    topics: {
      type: 'object',
      description: 'Channels by topic; a * at the end of a topic stands for anything.',
      propertyNames: {
        pattern: `^(${NAME}{0,63}\\*|${NAME}{1,64}(#ephemeral)?)$`,
        description: 'The name of a topic, or the beginning of names with * behind it.',
      },
      additionalProperties: {
        type: 'array',
        items: {
          type: 'string',
          // Those that are ephemeral come with their first consumer.
          pattern: `^${NAME}{1,64}$`,
          description: 'A channel; not an ephemeral one.',
        },
      },
    },
  },
} as const
