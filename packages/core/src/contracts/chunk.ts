import type { Sequence } from './sequence.js'

/**
 * A run of consecutive records: the unit that a log store appends, reads and checks.
 *
 * ```
 *   first = 1000, count = 3
 *   frames:     | frame 1000 | frame 1001 | frame 1002 |      as they go over the wire, nothing between them
 *   attributes: | side table: due times, headers, keys … |    sparse, null when no record of the run has any
 * ```
 *
 * A store treats both buffers as opaque bytes. The bytes of `frames` and `attributes` never change once the chunk was
 * handed over: a store may keep them, and so may a socket that is still sending them. They may be views into a larger
 * buffer (of which the store then holds all), and may lie in shared memory.
 */
export interface Chunk {
  readonly first: Sequence
  /** At least 1. */
  readonly count: number
  /** `count` whole NSQ message frames, each `int32 size | int32 type = 2 | int64 timestamp | uint16 attempts = 1 | id[16] | body`. */
  readonly frames: Uint8Array
  /** The side table (layout: `engine/attributes.ts`), versioned by core; opaque to a store, which cuts it with `sliceAttributes`. */
  readonly attributes: Uint8Array | null
}
