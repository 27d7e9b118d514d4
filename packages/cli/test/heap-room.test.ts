import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { growingPercent, HeapRoom, roomBytesOf } from '../src/heap-room.js'

const MIB = 1024 * 1024

describe('the room that V8 is given', () => {
  it('is 128 MiB, and a quarter of what messages may take where that is less', () => {
    assert.equal(roomBytesOf(4096 * MIB), 128 * MIB)
    assert.equal(roomBytesOf(512 * MIB), 128 * MIB)
    assert.equal(roomBytesOf(64 * MIB), 16 * MIB)
  })

  it('lets a small heap grow to many times its size', () => {
    assert.equal(growingPercent(8 * MIB, 128 * MIB), 1600)
  })

  it('is left to V8 where the heap is large', () => {
    assert.equal(growingPercent(60 * MIB, 128 * MIB), 0)
    assert.equal(growingPercent(5000 * MIB, 128 * MIB), 0)
  })

  it('is asked for at once, and given back at the end', () => {
    const asked: string[] = []
    const room = new HeapRoom(4096 * MIB, {
      getHeapStatistics: () => ({ used_heap_size: 16 * MIB }),
      setFlagsFromString: (flags) => asked.push(flags),
    })
    room.close()
    assert.deepEqual(asked, ['--heap-growing-percent=800', '--heap-growing-percent=0'])
  })

  it('is something that the V8 of this Node knows', () => {
    execFileSync(process.execPath, ['--heap-growing-percent=800', '--eval', ''])
  })
})
