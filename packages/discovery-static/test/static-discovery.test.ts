import assert from 'node:assert/strict'
import { DISCOVERY } from '@spillway/core'
import { configFromValue, loadConfig } from '@spillway/core/node'
import { testDiscovery } from '@spillway/core/testing'
import plugin, { StaticDiscovery } from '../src/index.js'

describe('discovery-static', () => {
  testDiscovery({ create: (topics) => new StaticDiscovery({ topics }), createUnreachable: null })

  it('gives a topic the channels of its own name and of every beginning that fits, each once', async () => {
    const discovery = new StaticDiscovery({
      topics: { 'orders.eu': ['mail'], 'orders.*': ['audit', 'mail'], '*': ['archive'], metrics: ['graph'] },
    })
    assert.deepEqual(await discovery.channelsOf('orders.eu'), ['mail', 'audit', 'archive'])
    assert.deepEqual(await discovery.channelsOf('orders.us'), ['audit', 'mail', 'archive'])
    assert.deepEqual(await discovery.channelsOf('orders'), ['archive'])
  })

  it('gives an ephemeral topic the channels of its own name only', async () => {
    const discovery = new StaticDiscovery({ topics: { '*': ['archive'], 'live#ephemeral': ['screen'] } })
    assert.deepEqual(await discovery.channelsOf('live#ephemeral'), ['screen'])
    assert.deepEqual(await discovery.channelsOf('other#ephemeral'), [])
  })

  it('is refused with names that are none, and with ephemeral channels', async () => {
    const load = (topics: unknown) => {
      const value = {
        storage: { use: '@spillway/storage-memory' },
        transports: [{ use: '@spillway/transport-tcp' }],
        discovery: [{ use: '@spillway/discovery-static', options: { topics } }],
      }
      return loadConfig(configFromValue(value, 'test', import.meta.dirname), { pluginsFrom: [import.meta.url] })
    }
    await load({ 'orders.*': ['mail'], '*': ['a'], 'live#ephemeral': ['screen'] })
    for (const topics of [{ 'a b': ['c'] }, { 'a*b': ['c'] }, { a: ['c d'] }, { a: ['c#ephemeral'] }, { a: 'c' }]) {
      await assert.rejects(load(topics), { code: 'E_CONFIG' }, JSON.stringify(topics))
    }
  })

  it('is a plugin that provides a discovery', () => {
    assert.equal(plugin.provides, DISCOVERY)
  })
})
