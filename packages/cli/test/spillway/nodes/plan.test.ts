import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError, configFromValue, describeProblem, loadConfig, type RawConfig } from '@spillway/core/node'
import { lookAtDataPath } from '../../../src/spillway/nodes/data-paths.js'
import { type NodePlan, planNodes } from '../../../src/spillway/nodes/plan.js'

const TCP = '@spillway/transport-tcp'
const HTTP = '@spillway/transport-http'

const configWith = (addresses: readonly string[], node: object = {}) => ({
  node,
  storage: { use: '@spillway/storage-memory' },
  transports: addresses.map((address, index) => ({ use: index % 2 === 0 ? TCP : HTTP, options: { address } })),
})

const loaded = async (value: object, substituted: [string, string][] = []) => {
  const { source, ...rest } = configFromValue(value, 'spillway.json', '/etc')
  const raw: RawConfig = { ...rest, source: { ...source, substituted: new Map(substituted) } }
  return { raw, config: await loadConfig(raw, { pluginsFrom: [import.meta.url] }) }
}

async function plan(value: object, nodeCount: number, portStep = 100): Promise<NodePlan[]> {
  const { raw, config } = await loaded(value)
  return planNodes(raw, config, { nodeCount, portStep })
}

const addressesOf = (plans: readonly NodePlan[]): string[][] =>
  plans.map(({ addresses }) => addresses.map(({ address }) => address))

async function complaints(doing: () => Promise<unknown>): Promise<string[]> {
  try {
    await doing()
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems.map(describeProblem)
  }
}

describe('the plan for several nodes', () => {
  it('gives each node ports of its own, 100 apart, and a folder in the data path', async () => {
    const plans = await plan(configWith(['0.0.0.0:4150', '[::1]:4151'], { dataPath: './data/' }), 3)
    assert.deepEqual(addressesOf(plans), [
      ['0.0.0.0:4150', '[::1]:4151'],
      ['0.0.0.0:4250', '[::1]:4251'],
      ['0.0.0.0:4350', '[::1]:4351'],
    ])
    assert.deepEqual(
      plans.map(({ name, dataPath }) => [name, dataPath]),
      [
        ['node-1', './data/node-1'],
        ['node-2', './data/node-2'],
        ['node-3', './data/node-3'],
      ],
    )
  })

  it('says the same in the configuration of each, and leaves the rest of it as it is', async () => {
    const value = configWith(['127.0.0.1:4150', ':4151'], { dataPath: '/d', logLevel: 'warn', broadcastTcpPort: 5000 })
    const [, second] = await plan(value, 2, 10)
    assert.deepEqual(second.config, {
      ...configWith(['127.0.0.1:4160', ':4161']),
      node: { dataPath: '/d/node-2', logLevel: 'warn', broadcastTcpPort: 5010 },
    })
    const again = await plan(second.config, 1)
    assert.deepEqual(addressesOf(again), [['127.0.0.1:4160', ':4161']])
  })

  it('knows the addresses that transports have without saying so', async () => {
    const value = { ...configWith([]), transports: [{ use: TCP }, { use: HTTP }] }
    const [, second] = await plan(value, 2)
    assert.deepEqual(addressesOf([second]), [['0.0.0.0:4250', '0.0.0.0:4251']])
  })

  it('leaves port 0 to the system, for every node', async () => {
    assert.deepEqual(addressesOf(await plan(configWith(['127.0.0.1:0', '127.0.0.1:0']), 2)), [
      ['127.0.0.1:0', '127.0.0.1:0'],
      ['127.0.0.1:0', '127.0.0.1:0'],
    ])
  })

  it('puts the name of the node into absolute paths of Unix sockets; others lie in its data path', async () => {
    assert.deepEqual(addressesOf(await plan(configWith(['/run/nsqd.v1/tcp.sock', './http.sock', '/run/nsqd']), 2)), [
      ['/run/nsqd.v1/tcp-node-1.sock', './http.sock', '/run/nsqd-node-1'],
      ['/run/nsqd.v1/tcp-node-2.sock', './http.sock', '/run/nsqd-node-2'],
    ])
  })

  it('refuses ports that two nodes would have', async () => {
    const places = await complaints(() => plan(configWith(['127.0.0.1:4150', '0.0.0.0:4151']), 3, 1))
    assert.deepEqual(places, [
      'spillway.json: /transports/0/options/address: found "127.0.0.1:4151" for node-2, ' +
        'expected another than node-1 has for /transports/1: try another --port-step',
    ])
  })

  it('lets two addresses of this machine have the same port', async () => {
    const plans = await plan(configWith(['127.0.0.1:4150', '127.0.0.2:4151']), 2, 1)
    assert.deepEqual(addressesOf(plans)[1], ['127.0.0.1:4151', '127.0.0.2:4152'])
  })

  it('refuses ports that do not exist', async () => {
    const value = configWith(['127.0.0.1:65500'], { broadcastTcpPort: 65_499 })
    assert.deepEqual(await complaints(() => plan(value, 2)), [
      'spillway.json: /node/broadcastTcpPort: found port 65599 for node-2, ' +
        'expected a port up to 65535: fewer nodes, lower ports or a smaller --port-step',
      'spillway.json: /transports/0/options/address: found port 65600 for node-2, ' +
        'expected a port up to 65535: fewer nodes, lower ports or a smaller --port-step',
    ])
  })

  it('does not print what came out of the environment', async () => {
    const { raw, config } = await loaded(configWith(['secret.example:4150', 'secret.example:4151']), [
      // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how it stands in the file
      ['/transports/0/options/address', '${HOST}:4150'],
    ])
    const lines = await complaints(async () => planNodes(raw, config, { nodeCount: 2, portStep: 1 }))
    assert.equal(lines.length, 1)
    assert.ok(!lines[0].includes('secret'), lines[0])
  })
})

describe('the data path of several nodes', () => {
  let folder = ''

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-test-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const look = async (nodeCount: number, use = '@spillway/storage-rocksdb'): Promise<string[]> => {
    const { config } = await loaded({ ...configWith([':0'], { dataPath: folder }), storage: { use } })
    return lookAtDataPath(config, nodeCount)
  }

  it('may be empty, or not be there yet', async () => {
    assert.deepEqual(await look(2), [])
    rmSync(folder, { recursive: true })
    assert.deepEqual(await look(2), [])
  })

  it('may not be that of one broker, whose messages no node would find', async () => {
    mkdirSync(join(folder, 'journal'))
    assert.deepEqual(await complaints(() => look(2)), [
      `spillway.json: /node/dataPath: found ${folder} with journal in it, which belongs to one broker, expected ` +
        `a path for 2 nodes: stop that broker and move what is there into ${folder}/node-1`,
    ])
  })

  it('does not matter to nodes that keep messages in memory', async () => {
    mkdirSync(join(folder, 'journal'))
    assert.deepEqual(await look(2, '@spillway/storage-memory'), [])
  })

  it('tells of nodes that were there before and are not now', async () => {
    for (const name of ['node-1', 'node-2', 'node-3', 'node-10', 'lost+found']) mkdirSync(join(folder, name))
    assert.deepEqual(await look(2), ['node-3', 'node-10'])
  })
})
