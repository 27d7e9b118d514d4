import assert from 'node:assert/strict'
import { nsqdFlags, spillwayFlags } from '../src/storage-flags.js'

const MIB = 1024 * 1024

describe('what brokers are told about storage', () => {
  it('keeps everything in memory on both sides', () => {
    assert.deepEqual(spillwayFlags('memory', 64 * MIB), ['--storage=memory'])
    assert.deepEqual(nsqdFlags('memory', 5000), ['--mem-queue-size=5000'])
    assert.deepEqual(nsqdFlags('memory', undefined), [])
  })

  it('leaves neither enough memory for a backlog on disk', () => {
    const durable = ['--storage=rocksdb', '--durability=process']
    assert.deepEqual(spillwayFlags('disk', 64 * MIB), [...durable, '--memory-limit=64MiB'])
    assert.deepEqual(nsqdFlags('disk', 5000), ['--mem-queue-size=0'])
  })

  it('puts a durable Spillway beside an nsqd in memory', () => {
    assert.deepEqual(spillwayFlags('durable-vs-memory', 64 * MIB), ['--storage=rocksdb', '--durability=process'])
    assert.deepEqual(nsqdFlags('durable-vs-memory', 5000), ['--mem-queue-size=5000'])
  })
})
