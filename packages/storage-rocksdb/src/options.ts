import type { Durability } from '@spillway/core'

/** Options of the plugin; defaults are in {@link OPTIONS_SCHEMA}. */
export interface RocksdbOptions {
  readonly durability: Durability
  readonly durabilityByTopic: Readonly<Record<string, Durability>>
  readonly freeDiskBytesMin: number
  readonly ballastSizeBytes: number
  readonly journalFileSizeBytes: number
  readonly syncIntervalMs: number
}

const MIB = 1024 * 1024

export const OPTIONS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    durability: { enum: ['none', 'process', 'power'], default: 'process' },
    durabilityByTopic: {
      type: 'object',
      default: {},
      additionalProperties: { enum: ['none', 'process', 'power'] },
    },
    freeDiskBytesMin: {
      type: 'integer',
      minimum: 0,
      default: 256 * MIB,
      description:
        'Free space of the disk below which publishes are refused; consumers go on, and publishers too once there is room again. Bytes.',
    },
    ballastSizeBytes: {
      type: 'integer',
      minimum: 0,
      default: 32 * MIB,
      description:
        'Size of a file that is deleted when the disk is full after all, so that consumers can go on; 0 for none. Bytes.',
    },
    journalFileSizeBytes: {
      type: 'integer',
      minimum: MIB,
      maximum: 1024 * MIB,
      default: 32 * MIB,
      description: 'Size at which the journal goes on in a new file. Bytes.',
    },
    syncIntervalMs: {
      type: 'number',
      minimum: 0,
      default: 2000,
      description:
        'With durability "process": how often the journal is brought to the disk itself, so that a loss of power takes no more than that; 0 leaves it to the operating system. Milliseconds.',
    },
  },
} as const
