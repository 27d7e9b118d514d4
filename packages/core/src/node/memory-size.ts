import { totalmem } from 'node:os'
import type { StorageCapabilities } from '../contracts/storage.js'

/** With a storage that keeps messages elsewhere, memory is a cache of what is read next: more of it makes nothing faster. */
const CACHE_BYTES_MAX = 512 * 1024 * 1024

/** Half of what the machine or the container has. */
export function halfOfMemoryBytes(): number {
  const limit = process.constrainedMemory()
  const total = totalmem()
  return Math.floor((limit > 0 && limit < total ? limit : total) / 2)
}

/** The memory that messages may take where the configuration does not say. */
export function defaultMemorySizeBytes({ resident }: StorageCapabilities): number {
  return resident ? halfOfMemoryBytes() : Math.min(halfOfMemoryBytes(), CACHE_BYTES_MAX)
}
