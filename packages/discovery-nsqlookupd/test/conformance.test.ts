import { testDiscovery } from '@spillway/core/testing'
import { NsqlookupdDiscovery } from '../src/index.js'
import { SAMPLE_OPTIONS } from './support/sample-options.js'
import { ScriptedLookupd } from './support/scripted-lookupd.js'

describe('discovery-nsqlookupd', () => {
  const lookupds: ScriptedLookupd[] = []
  afterEach(async () => {
    for (const lookupd of lookupds.splice(0)) await lookupd.stop()
  })

  async function lookupd(channels: Readonly<Record<string, readonly string[]>>): Promise<ScriptedLookupd> {
    const made = new ScriptedLookupd()
    made.channels = channels
    await made.start()
    lookupds.push(made)
    return made
  }

  testDiscovery({
    async create(elsewhere, parts) {
      // Two that know the same, and nothing at all: it is the union that counts.
      const all = [await lookupd(elsewhere), await lookupd(elsewhere), await lookupd({})]
      return new NsqlookupdDiscovery({ ...SAMPLE_OPTIONS, tcpAddresses: all.map(({ address }) => address) }, parts)
    },
    async createUnreachable(parts) {
      const silent = await lookupd({})
      silent.onCommand = () => null
      const gone = await lookupd({})
      await gone.stop()
      const tcpAddresses = [silent.address, gone.address]
      return new NsqlookupdDiscovery({ ...SAMPLE_OPTIONS, tcpAddresses }, parts)
    },
  })
})
