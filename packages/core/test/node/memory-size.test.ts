import assert from 'node:assert/strict'
import type { StorageCapabilities } from '../../src/contracts/storage.js'
import { defaultMemorySizeBytes, halfOfMemoryBytes } from '../../src/node/memory-size.js'

const MIB = 1024 * 1024
const BODY_BYTES = 5 * MIB
const capabilities = (resident: boolean) => ({ resident }) as StorageCapabilities

describe('the memory that messages may take where the configuration does not say', () => {
  it('is half of what the machine has, with a storage that keeps them in memory; several brokers share it', () => {
    const of = (nodeCount: number): number => defaultMemorySizeBytes(capabilities(true), BODY_BYTES, nodeCount)
    assert.equal(of(1), halfOfMemoryBytes())
    assert.equal(of(4), Math.floor(halfOfMemoryBytes() / 4))
  })

  it('is at most 512 MiB for each, with one that keeps them elsewhere', () => {
    for (const nodeCount of [1, 2, 1000]) {
      const share = Math.floor(halfOfMemoryBytes() / nodeCount)
      const size = defaultMemorySizeBytes(capabilities(false), BODY_BYTES, nodeCount)
      assert.equal(size, Math.min(512 * MIB, share))
    }
  })

  it('has room for the largest body, but no more than the share', () => {
    const largest = 1024 * MIB
    assert.equal(defaultMemorySizeBytes(capabilities(false), largest, 1), Math.min(6 * largest, halfOfMemoryBytes()))
    const share = Math.floor(halfOfMemoryBytes() / 100)
    assert.equal(defaultMemorySizeBytes(capabilities(false), largest, 100), share)
  })
})
