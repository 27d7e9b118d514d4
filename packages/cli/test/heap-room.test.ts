import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { growingPercent, roomBytesOf } from '../src/heap-room.js'

const MIB = 1024 * 1024
const COUNT_MARKINGS = fileURLToPath(new URL('count-markings.js', import.meta.url))

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

  it('has V8 mark its heap less often while large objects come and go', () => {
    const markings = (argument: string): number =>
      Number(execFileSync(process.execPath, [COUNT_MARKINGS, argument], { encoding: 'utf8' }))
    const [withRoom, without] = [markings('room'), markings('none')]
    assert.ok(withRoom < without, `${withRoom} with room, ${without} without`)
  })
})
