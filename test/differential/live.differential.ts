import { Brokers, Surroundings } from './brokers.js'
import { CASES } from './cases/index.js'
import { compare } from './compare.js'
import { originalNsqd } from './original.js'
import { play } from './player.js'
import { writeRecording } from './recording.js'

/** Set by `--record`. */
const IS_RECORDING = process.env.SPILLWAY_RECORD === '1'

describe('the same bytes and requests to the original nsqd and to ours', function () {
  this.timeout(20_000)
  const command = originalNsqd()
  const surroundings = new Surroundings()
  const ours = new Brokers(surroundings)
  let original: Brokers
  const recording: Record<string, readonly string[]> = {}

  before(function () {
    if (command === null) {
      console.log('    skipped: no original nsqd in the PATH, and none named by SPILLWAY_REAL_NSQD')
      return this.skip()
    }
    original = new Brokers(surroundings, command)
  })

  after(async () => {
    await ours.stop()
    if (command !== null) await original.stop()
    await surroundings.stop()
    if (command === null) return
    if (IS_RECORDING) writeRecording(recording)
  })

  for (const each of CASES) {
    it(`are answered alike${each.differs === undefined ? '' : ', but for what is documented'}: ${each.name.slice(0, 100)}`, async () => {
      const answers = await play(each, await original.placeFor(each))
      recording[each.name] = answers
      compare(each, await play(each, await ours.placeFor(each)), answers)
    })
  }
})
