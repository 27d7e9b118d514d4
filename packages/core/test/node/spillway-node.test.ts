import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { configFromValue, type LoadedConfig, loadConfig } from '../../src/config/index.js'
import type { BrokerOptions } from '../../src/contracts/options.js'
import type { Setting } from '../../src/contracts/setting.js'
import type { EngineParts } from '../../src/engine/engine.js'
import { BrokerError } from '../../src/errors.js'
import { type NodeEngine, SpillwayNode } from '../../src/node/spillway-node.js'
import { FakeClock, TestLogger } from '../../src/testing/index.js'
import { folderWith, pluginText, removeFolders } from '../config/temporary-folder.js'

/** Plugins that note what happens to them in `globalThis.spillwayTestEvents`. */
const note = (name: string) => `(globalThis.spillwayTestEvents ??= []).push(${name})`

const TRANSPORT = pluginText({
  provides: 'transport',
  optionsSchema: {
    type: 'object',
    properties: { port: { type: 'integer' }, fails: { type: 'string' } },
    additionalProperties: false,
  },
  create: `
    const act = (what) => { ${note("what + ' ' + options.port")}; if (options.fails === what) throw new Error(what + ' fails') }
    return {
      addresses: [],
      async start() { act('start'); this.addresses = [{ protocol: 'tcp', address: '127.0.0.1', port: options.port }] },
      async drain() { act('drain') },
      async stop() { act('stop') },
    }`,
})

const STORAGE = pluginText({
  optionsSchema: { type: 'object', properties: { offers: { type: 'array' }, durability: {} } },
  create: `
    const storage = { refusal: null, capabilities: { durabilities: options.offers ?? ['none'], resident: true }, options, context }
    const methods = ['open', 'readCatalogue', 'writeCatalogue', 'takeLeases', 'openLog', 'deleteLog', 'listLogs', 'close']
    for (const method of methods) storage[method] = () => {}
    return storage`,
})

const DISCOVERY = pluginText({
  provides: 'discovery',
  create: `return {
    settings: [{ name: 'both', get: () => 'discovery', set: null }, { name: 'own', get: () => 'discovery', set: null }],
    topicCreated() {}, topicDeleted() {}, channelCreated() {}, channelDeleted() {}, channelsOf: async () => [],
    start(node) { ${note('JSON.stringify(node)')} },
    async stop() { ${note("'withdraw'")} },
  }`,
})

const AUTHENTICATOR = pluginText({
  provides: 'authenticator',
  create: `return { async authenticate() { throw new RangeError('out of ideas') }, async close() {} }`,
})

const BROKEN = pluginText({ create: `throw new Error('out of ideas')` })
const EMPTY = pluginText({ create: 'return { open() {}, close() {}, listLogs() {}, refusal: null, capabilities: {} }' })
const WITHOUT_DURABILITY = STORAGE.replace("['none']", '[]')

function eventsOfTest(): string[] {
  const holder = globalThis as { spillwayTestEvents?: string[] }
  holder.spillwayTestEvents = []
  return holder.spillwayTestEvents
}

interface Setup {
  readonly storage?: { use?: string; options?: object }
  readonly ports?: readonly object[]
  readonly discovers?: boolean
  readonly authenticates?: boolean
  readonly limits?: object
  readonly openFails?: Error
}

async function load(setup: Setup): Promise<LoadedConfig> {
  const { storage, ports = [], discovers = false, authenticates = false, limits } = setup
  const folder = folderWith({
    'storage.mjs': STORAGE,
    'transport.mjs': TRANSPORT,
    'broken.mjs': BROKEN,
    'empty.mjs': EMPTY,
    'without-durability.mjs': WITHOUT_DURABILITY,
    'discovery.mjs': DISCOVERY,
    'authenticator.mjs': AUTHENTICATOR,
  })
  const value = {
    node: { dataPath: 'd', broadcastAddress: 'b', hostname: 'h', ...limits },
    storage: { use: './storage.mjs', ...storage },
    transports: ports.map((options) => ({ use: './transport.mjs', options })),
    discovery: discovers ? [{ use: './discovery.mjs' }] : [],
    ...(authenticates ? { authenticator: { use: './authenticator.mjs' } } : {}),
  }
  return loadConfig(configFromValue(value, 'test', folder))
}

async function makeNode(setup: Setup = {}) {
  const events = eventsOfTest()
  const logger = new TestLogger()
  let parts: EngineParts | undefined
  const createEngine = (given: EngineParts): NodeEngine => {
    parts = given
    const engine = {
      open: async () => {
        events.push('open engine')
        if (setup.openFails !== undefined) throw setup.openFails
      },
      listening: (addresses: readonly { port: number }[]) =>
        events.push(`listening ${addresses.map(({ port }) => port)}`),
      announce: () => events.push('announce'),
      close: async () => events.push('close engine'),
      options: given.options,
    }
    return engine as unknown as NodeEngine
  }
  const clock = new FakeClock()
  const node = new SpillwayNode(await load(setup), { logger, clock, createEngine, settings: [NODE_SETTING] })
  return { node, events, logger, clock, parts: parts as unknown as EngineParts }
}

const NODE_SETTING: Setting = { name: 'both', get: () => 'node', set: null }

const durabilityWith = async (options: object): Promise<BrokerOptions['durability']> =>
  (await makeNode({ storage: { options } })).parts.options.durability

after(removeFolders)

describe('SpillwayNode', () => {
  it('starts engine, then transports in order, then announces where they listen', async () => {
    const { node, events, logger } = await makeNode({ ports: [{ port: 1 }, { port: 2 }] })
    await node.start()
    assert.deepEqual(events, ['open engine', 'start 1', 'start 2', 'listening 1,2', 'announce'])
    assert.deepEqual(logger.messages('info').slice(1), [
      'TCP: listening on 127.0.0.1:1',
      'TCP: listening on 127.0.0.1:2',
    ])
  })

  it('shows the settings that it was given, then those of discoveries that have other names', async () => {
    const { parts } = await makeNode({ discovers: true })
    assert.deepEqual(
      parts.settings.map(({ name, get }) => [name, get()]),
      [
        ['both', 'node'],
        ['own', 'discovery'],
      ],
    )
  })

  it('says in one line, before it listens, which version runs, on which data, how safe', async () => {
    const { node, logger, parts } = await makeNode({ storage: { options: { offers: ['none', 'process'] } } })
    await node.start()
    const [{ level, message, fields }] = logger.lines
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
    assert.deepEqual([level, message], ['info', `Spillway v${version}`])
    assert.equal(fields.dataPath, (parts.storage as unknown as { context: { dataPath: string } }).context.dataPath)
    assert.deepEqual([fields.storage, fields.durability], ['test-storage', 'process'])
  })

  it('warns when the largest body that is allowed does not fit into its memory', async () => {
    const MIB = 2 ** 20
    for (const [memorySizeBytesMax, isWarned] of [
      [127 * MIB, true],
      [128 * MIB, false],
    ] as const) {
      const { node, logger } = await makeNode({ limits: { memorySizeBytesMax, bodySizeBytesMax: 64 * MIB } })
      await node.start()
      assert.equal(logger.messages('warn').length, Number(isWarned))
    }
  })

  it('makes a refusal of whatever its authenticator throws', async () => {
    const { parts } = await makeNode({ authenticates: true })
    const request = { secret: Buffer.from('s'), remoteIp: '', tls: false, commonName: '' }
    await assert.rejects(async () => parts.authenticator?.authenticate(request), { code: 'E_AUTH_FAILED' })
  })

  it('tells discovery where it listens, before anything is announced, and withdraws first of all', async () => {
    const { node, events } = await makeNode({ ports: [{ port: 7 }], discovers: true })
    await node.start()
    const told = events.at(-2) ?? ''
    assert.deepEqual(JSON.parse(told), {
      broadcastAddress: 'b',
      hostname: 'h',
      topologyRegion: '',
      topologyZone: '',
      version: '1.3.0',
      tcpPort: 7,
      httpPort: 0,
    })
    assert.equal(events.at(-1), 'announce')
    events.length = 0
    await node.stop()
    assert.deepEqual(events, ['withdraw', 'drain 7', 'stop 7', 'close engine'])
  })

  it('stops listeners, clients, then topics and storage', async () => {
    const { node, events } = await makeNode({ ports: [{ port: 1 }, { port: 2 }] })
    await node.start()
    events.length = 0
    await node.stop()
    assert.deepEqual(events, ['drain 1', 'drain 2', 'stop 1', 'stop 2', 'close engine'])
  })

  it('stops once, however often it is asked to', async () => {
    const { node, events } = await makeNode({ ports: [{ port: 1 }] })
    await node.start()
    events.length = 0
    await Promise.all([node.stop(), node.stop()])
    await node.stop()
    assert.deepEqual(events, ['drain 1', 'stop 1', 'close engine'])
  })

  it('closes what it had opened when a transport cannot start, and tells why', async () => {
    const { node, events } = await makeNode({ ports: [{ port: 1 }, { port: 2, fails: 'start' }] })
    await assert.rejects(node.start(), /start fails/)
    assert.deepEqual(events, ['open engine', 'start 1', 'start 2', 'stop 1', 'stop 2', 'close engine'])
  })

  it('starts no transport when the storage does not open', async () => {
    const openFails = new BrokerError('E_STORAGE_LOCKED', 'somebody has it open')
    const { node, events } = await makeNode({ ports: [{ port: 1 }], openFails })
    await assert.rejects(node.start(), openFails)
    assert.equal(events.includes('start 1'), false)
    assert.equal(events.at(-1), 'close engine')
  })

  it('takes every step of a stop although one fails, and tells that', async () => {
    const { node, events, logger } = await makeNode({ ports: [{ port: 1, fails: 'drain' }] })
    await node.start()
    await assert.rejects(node.stop(), /drain fails/)
    assert.deepEqual(events.slice(-3), ['drain 1', 'stop 1', 'close engine'])
    assert.equal(logger.messages('error').length, 1)
  })

  it('gives plugins their options and surroundings, paths made absolute', async () => {
    const { parts, clock } = await makeNode({ storage: { options: { offers: ['none', 'power'] } } })
    const { options, context } = parts.storage as unknown as { options: object; context: Record<string, unknown> }
    assert.deepEqual(options, { offers: ['none', 'power'] })
    assert.equal(context.clock, clock)
    assert.equal(context.dataPath, `${context.configPath}/d`)
  })

  it('has one instance of each plugin for each broker', async () => {
    const config = await load({})
    const storages: unknown[] = []
    const createEngine = ({ storage }: EngineParts): NodeEngine => {
      storages.push(storage)
      return {} as NodeEngine
    }
    for (let brokers = 0; brokers < 2; brokers++) new SpillwayNode(config, { logger: new TestLogger(), createEngine })
    assert.equal(storages.length, 2)
    assert.notEqual(storages[0], storages[1])
  })

  it('names the plugin whose factory throws', async () => {
    await assert.rejects(makeNode({ storage: { use: './broken.mjs' } }), {
      code: 'E_PLUGIN',
      detail:
        'test: /storage/use: found test-storage, which cannot be made: out of ideas, expected a plugin that can be made',
    })
  })

  it('names what an instance lacks of its contract', async () => {
    await assert.rejects(makeNode({ storage: { use: './empty.mjs' } }), {
      code: 'E_PLUGIN',
      detail:
        'test: /storage/use: found test-storage, whose create() returns something without readCatalogue(), writeCatalogue(), takeLeases(), openLog(), deleteLog(), expected all that its contract asks for',
    })
    await assert.rejects(
      makeNode({ storage: { use: './without-durability.mjs' } }),
      /without capabilities\.durabilities/,
    )
  })

  describe('durability', () => {
    it('is process where the storage offers that, otherwise the weakest', async () => {
      assert.equal(await durabilityWith({ offers: ['none', 'process', 'power'] }), 'process')
      assert.equal(await durabilityWith({ offers: ['none'] }), 'none')
      assert.equal(await durabilityWith({ offers: ['power'] }), 'power')
    })

    it('is what the configuration says where the storage offers that', async () => {
      assert.equal(await durabilityWith({ offers: ['none', 'process', 'power'], durability: 'power' }), 'power')
    })

    it('is refused where the storage does not offer it', async () => {
      await assert.rejects(durabilityWith({ durability: 'power' }), {
        code: 'E_CONFIG',
        detail: 'test: /storage/options/durability: found "power", expected one of "none", which this storage offers',
      })
    })

    it('of a topic is what the configuration says, and refused where the storage does not offer it', async () => {
      const durabilityByTopic = { orders: 'power', 'metrics.*': 'none', 'a.*': 'process' }
      const { parts } = await makeNode({
        storage: { options: { offers: ['none', 'process', 'power'], durabilityByTopic } },
      })
      assert.deepEqual(parts.options.durabilityByTopic, durabilityByTopic)
      await assert.rejects(makeNode({ storage: { options: { offers: ['none'], durabilityByTopic } } }), {
        code: 'E_CONFIG',
        detail: [
          'test: /storage/options/durabilityByTopic/orders: found "power", expected one of "none", which this storage offers',
          'test: /storage/options/durabilityByTopic/a.*: found "process", expected one of "none", which this storage offers',
        ].join('\n'),
      })
    })
  })
})
