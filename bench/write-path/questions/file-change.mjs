// What does going over to the next journal file cost the event loop, and getting rid of the old one?
import { close, closeSync, ftruncateSync, openSync, unlink, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { inFreshDirectory } from '../directory.mjs'
import { FILE_BYTES } from '../journal.mjs'
import { Durations } from '../meter.mjs'

const FILE_COUNT = 8

function timed(durations, work) {
  const startedAt = performance.now()
  const result = work()
  durations.add(performance.now() - startedAt)
  return result
}

function removeInPool(fd, path) {
  return new Promise((resolve, reject) =>
    close(fd, (error) => (error ? reject(error) : unlink(path, (failed) => (failed ? reject(failed) : resolve())))),
  )
}

async function measure(dir, { inPool }) {
  const opens = new Durations()
  const removals = new Durations()
  const block = Buffer.alloc(2 ** 20, 7)
  for (let index = 0; index < FILE_COUNT; index++) {
    const path = join(dir, String(index))
    const fd = timed(opens, () => {
      const opened = openSync(path, 'wx')
      ftruncateSync(opened, FILE_BYTES)
      return opened
    })
    for (let at = 0; at < FILE_BYTES; at += block.length) writeSync(fd, block, 0, block.length, at)
    if (inPool) {
      const startedAt = performance.now()
      await removeInPool(fd, path)
      removals.add(performance.now() - startedAt)
    } else
      timed(removals, () => {
        closeSync(fd)
        unlinkSync(path)
      })
  }
  return { opens: opens.summary(), removals: removals.summary() }
}

export async function fileChange({ rounds, print }) {
  print(
    '(6) a new file of 64 MiB (open + ftruncate, on the main thread); closing and unlinking a full one; microseconds',
  )
  for (let round = 1; round <= rounds; round++)
    for (const inPool of [false, true]) {
      const { opens, removals } = await inFreshDirectory((dir) => measure(dir, { inPool }))
      print(
        `${round} open p50 ${opens.p50} max ${opens.max}, ` +
          `remove ${inPool ? 'in the pool     ' : 'on main thread'} p50 ${removals.p50} max ${removals.max}`,
      )
    }
}
