import { BrokerError, type Chunk, type Lease, type Sequence } from '@spillway/core'
import type { WriteBatch } from 'rocksdb-native'
import type { Database } from './database.js'
import { dataKey, indexKey } from './keys.js'
import { type Stretch, stretchOf } from './log-state.js'
import type { StretchBuilder } from './stretch-builder.js'
import { chunksOf, decodeStretchEntry, encodeStretchEntry } from './stretch-codec.js'

/** Adds what was gathered to a write, up to `end`. Null when nothing is left of it. */
export function putStretch(batch: WriteBatch, log: Lease, builder: StretchBuilder, end: Sequence): Stretch | null {
  if (builder.isEmpty) return null
  const { pieces } = builder
  const frames = builder.frames()
  const stretch = stretchOf(pieces, frames.length, end)
  batch.tryPut(dataKey(log, stretch.first), frames)
  batch.tryPut(indexKey(log, stretch.first), encodeStretchEntry(log, frames, pieces, end))
  return stretch
}

/** @throws BrokerError `E_STORAGE_CORRUPT`, `E_STORAGE_IO` */
export async function readStretch(database: Database, log: Lease, stretch: Stretch): Promise<Chunk[]> {
  const where = `${database.path}: log ${log}, records from ${stretch.first} on`
  const [entry, frames] = await Promise.all([
    database.get(indexKey(log, stretch.first)),
    database.get(dataKey(log, stretch.first)),
  ]).catch((error: BrokerError) => {
    throw new BrokerError(error.code, `${where}: ${error.detail}`, { cause: error })
  })
  return chunksOf(decodeStretchEntry(log, entry ?? EMPTY, where), frames ?? EMPTY, where)
}

const EMPTY = Buffer.alloc(0)
