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

/**
 * Memory that one body of the largest size surely fits into: it lies there twice for a moment, as it was received and as it is
 * stored, and up to a quarter is for what is on its way to the disk. Two of them may come at once.
 */
export function memorySizeBytesForBodies(bodySizeBytesMax: number): number {
  return Math.min(6 * bodySizeBytesMax, halfOfMemoryBytes())
}

/**
 * The memory that messages may take where the configuration does not say.
 * @param nodeCount - how many brokers share what the machine or the container has
 */
export function defaultMemorySizeBytes(
  { resident }: StorageCapabilities,
  bodySizeBytesMax: number,
  nodeCount: number,
): number {
  const shareBytes = Math.floor(halfOfMemoryBytes() / nodeCount)
  if (resident) return shareBytes
  const forBodiesBytes = Math.min(memorySizeBytesForBodies(bodySizeBytesMax), shareBytes)
  return Math.max(Math.min(shareBytes, CACHE_BYTES_MAX), forBodiesBytes)
}
