// A process whose disk fails once to bring bytes to the disk itself, and which is killed soon after: `failing-sync.js FOLDER`.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

let isFailing = false
const { fdatasync } = fs
fs.fdatasync = ((fd: number, done: (error: NodeJS.ErrnoException | null) => void) => {
  if (!isFailing) return fdatasync(fd, done)
  isFailing = false
  process.nextTick(done, Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }))
}) as typeof fs.fdatasync
syncBuiltinESMExports() // before anything takes it from there

const { makeStorage } = await import('./support.js')
const { sampleChunk } = await import('@spillway/core/testing')
const POWER = { durability: 'power', epoch: 0 } as const

const storage = makeStorage(process.argv[2], { durability: 'power' })
await storage.open()
const log = await storage.openLog(1, POWER)
await log.append(sampleChunk(0, ['a', 'b']))
isFailing = true
const refused = [
  assert.rejects(Promise.resolve(log.append(sampleChunk(2, ['refused']))), { code: 'E_STORAGE_IO' }),
  assert.rejects(Promise.resolve(log.append(sampleChunk(3, ['refused', 'refused']))), { code: 'E_STORAGE_IO' }),
]
await Promise.all(refused)
await log.close()
const again = await storage.openLog(1, POWER)
await again.append(sampleChunk(again.next, ['c']))
await again.append(sampleChunk(again.next + 1, ['d', 'e']))
process.send?.(again.next)
