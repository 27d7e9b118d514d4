import { Brokers, Surroundings } from './brokers.js'
import { CASES } from './cases/index.js'
import { compare } from './compare.js'
import { play } from './player.js'
import { readRecording } from './recording.js'

describe('the same bytes and requests as nsqd 1.3 was recorded with', () => {
  const surroundings = new Surroundings()
  const brokers = new Brokers(surroundings)
  const recording = readRecording()

  after(async () => {
    await brokers.stop()
    await surroundings.stop()
  })

  for (const each of CASES) {
    it(`are answered alike${each.differs === undefined ? '' : ', but for what is documented'}: ${each.name.slice(0, 100)}`, async () => {
      compare(each, await play(each, await brokers.placeFor(each)), recording[each.name] ?? [])
    })
  }
})
