import { Brokers } from './brokers.js'
import { CASES } from './cases/index.js'
import { compare } from './compare.js'
import { play } from './player.js'
import { readRecording } from './recording.js'

describe('the same bytes and requests as nsqd 1.3 was recorded with', () => {
  const brokers = new Brokers()
  const recording = readRecording()

  after(() => brokers.stop())

  for (const each of CASES) {
    it(`are answered alike${each.differs === undefined ? '' : ', but for what is documented'}: ${each.name.slice(0, 100)}`, async () => {
      compare(each, await play(each, await brokers.placeFor(each)), recording[each.name] ?? [])
    })
  }
})
