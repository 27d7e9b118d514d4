import type { Clock } from '../../src/index.js'
import {
  SimulatedDisk,
  SimulatedStorage,
  seededRandom,
  testStorage,
  writeUntilKilled,
} from '../../src/testing/index.js'

/** Here nobody moves time: a timer fires with the next turn of the event loop, whatever its delay. */
const clock: Pick<Clock, 'setTimer'> = {
  setTimer(_delayMs, callback) {
    const immediate = setImmediate(callback)
    return { cancel: () => clearImmediate(immediate) }
  },
}
const disks = new Map<string, SimulatedDisk>()
const random = seededRandom(Number(process.env.SEED ?? 1))

function create(place: string): SimulatedStorage {
  const disk = disks.get(place) ?? new SimulatedDisk()
  disks.set(place, disk)
  return new SimulatedStorage({ clock, random, disk })
}

describe('SimulatedStorage', () => {
  testStorage({
    capabilities: create('capabilities').capabilities,
    create,
    kill: (place, durability) =>
      new Promise((resolve) => {
        const storage = create(place)
        const lines: string[] = []
        void writeUntilKilled(storage, durability, (line) => {
          if (lines.push(line) < 300) return
          storage.crash()
          resolve(lines)
        })
      }),
  })
})
