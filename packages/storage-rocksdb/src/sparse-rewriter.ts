import type { Logger, SequenceRange } from '@spillway/core'
import type { Database } from './database.js'
import { dataKey, indexKey } from './keys.js'
import type { LogState, Stretch } from './log-state.js'
import { StretchBuilder } from './stretch-builder.js'
import { putStretch, readStretch } from './stretches.js'
import { STRETCH_BYTES_MAX } from './young-records.js'

/** Stretches that are rewritten in one go, by their size. */
const REWRITE_BYTES_MAX = 64 * 1024 * 1024

/** Stretches that may be rewritten, and what may go of each: that it may was on the disk before. */
export type Allowed = ReadonlyMap<Stretch, readonly SequenceRange[]>

/** Moves what is left of stretches that were mostly erased into fewer ones. */
export class SparseRewriter {
  readonly #database: Database
  readonly #logger: Logger

  constructor(database: Database, logger: Logger) {
    this.#database = database
    this.#logger = logger
  }

  /** Rewrites some of the allowed stretches of a log, as far as they are still sparse. Returns how many bytes were given up. */
  async rewrite(state: LogState, allowed: Allowed): Promise<number> {
    let sizeBytes = 0
    for (const stretch of allowed.keys()) {
      if (sizeBytes >= REWRITE_BYTES_MAX || state.isDeleted) break
      if (state.sparse.has(stretch)) sizeBytes += await this.#rewriteGroup(state, stretch, allowed)
    }
    return sizeBytes
  }

  /** Moves what is left of neighbouring stretches into one. Returns how many bytes they had. */
  async #rewriteGroup(state: LogState, start: Stretch, allowed: Allowed): Promise<number> {
    const builder = new StretchBuilder()
    const group = await this.#gather(state, start, allowed, builder)
    const sizeBytes = group.reduce((sum, { framesBytes }) => sum + framesBytes, 0)
    if (group.length === 0 || state.isDeleted) return sizeBytes
    const batch = this.#database.batch()
    for (const { first } of group) {
      batch.tryDelete(indexKey(state.log, first))
      batch.tryDelete(dataKey(state.log, first))
    }
    const stretch = putStretch(batch, state.log, builder, group[group.length - 1].end)
    state.replacing = this.#database.write(batch)
    try {
      await state.replacing
      if (!state.isDeleted) state.replace(group, stretch === null ? [] : [stretch])
      for (const { erased } of group) state.erase(erased ?? []) // what may go since it was read among them
    } finally {
      state.rewriting = []
      state.replacing = null
    }
    return sizeBytes
  }

  /** Reads neighbours from `start` on; those that were read are being rewritten from now on. */
  async #gather(state: LogState, start: Stretch, allowed: Allowed, builder: StretchBuilder): Promise<Stretch[]> {
    const group: Stretch[] = []
    let readBytes = 0
    try {
      // a copy: trims take from its front meanwhile
      for (const stretch of state.stored.slice(state.stored.indexOf(start))) {
        const isFull = builder.framesBytes >= STRETCH_BYTES_MAX || readBytes >= REWRITE_BYTES_MAX
        if (!state.sparse.has(stretch) || !allowed.has(stretch) || isFull) break
        group.push(stretch)
        state.rewriting = group
        const chunks = await readStretch(this.#database, state.log, stretch)
        for (const chunk of chunks) builder.add(chunk, allowed.get(stretch) ?? [])
        readBytes += stretch.framesBytes
      }
    } catch (error) {
      const reason = (error as Error).message
      this.#logger.error(`log ${state.log} keeps room that could be given back`, { error: reason })
      state.sparse.delete(group.pop() as Stretch)
      state.rewriting = group
    }
    return group
  }
}
