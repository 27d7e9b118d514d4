// biome-ignore-all lint/suspicious/noTemplateCurlyInString: configuration files have such references
import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type LoadedConfig, loadConfig } from '../../src/config/load-config.js'
import { ConfigError, describeProblem } from '../../src/config/problem.js'
import { readConfigFile } from '../../src/config/read-config-file.js'
import { folderWith, pluginText, removeFolders } from './temporary-folder.js'

const OPTIONS_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['address'],
  properties: {
    address: { type: 'string', pattern: '^[^:]+:\\d+$', examples: ['127.0.0.1:4150'] },
    connectionsMax: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
    mode: { enum: ['fast', 'safe'], default: 'safe' },
    verbose: { type: 'boolean' },
  },
}

const PLUGINS = {
  'odd.js': pluginText({ provides: 'transport', optionsSchema: { type: 'object', colour: 'blue' } }),
  'storage.js': pluginText(),
  'auth.js': pluginText({
    provides: 'authenticator',
    optionsSchema: {
      type: 'object',
      properties: {
        token: { type: 'integer', writeOnly: true },
        users: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              secretHash: { type: 'string', pattern: '^scrypt:', description: 'As `spillway hash-secret` prints it.' },
            },
          },
        },
      },
    },
  }),
  'own.js': pluginText({ provides: 'transport', optionsSchema: { type: 'object' } }).replace(
    'test-transport',
    'transport-tcp',
  ),
  'transport.js': pluginText({ provides: 'transport', optionsSchema: OPTIONS_SCHEMA }),
}

const BASE = { storage: { use: './storage.js' }, transports: [] as unknown[] }

const listener = (options: object) => ({ ...BASE, transports: [{ use: './transport.js', options }] })

/** Loads a configuration that lies beside the plugins. */
async function load(config: unknown, env: Record<string, string> = {}): Promise<LoadedConfig> {
  const text = typeof config === 'string' ? config : JSON.stringify(config)
  const folder = folderWith({ ...PLUGINS, 'spillway.json': text })
  return loadConfig(await readConfigFile(join(folder, 'spillway.json'), env))
}

/** The lines that a person gets, with the file's folder left out. */
async function linesOf(config: unknown, env: Record<string, string> = {}): Promise<string[]> {
  try {
    await load(config, env)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return error.problems.map((problem) => describeProblem(problem).replaceAll(/\S*\/(?=spillway\.json)/g, ''))
  }
  assert.fail('nothing was wrong')
}

after(removeFolders)

describe('loadConfig', () => {
  it("fills in nsqd's defaults, and what only the machine knows", async () => {
    const { node } = await load(BASE)
    assert.equal(node.msgTimeoutMs, 60_000)
    assert.equal(node.readyCountMax, 2_500)
    assert.equal(node.dataPath, './data')
    assert.equal(node.broadcastAddress, hostname())
    assert.equal(node.memorySizeBytesMax, null)
  })

  it('keeps what the file says over any default', async () => {
    const { node } = await load({ ...BASE, node: { msgTimeoutMs: 5_000, hostname: 'h', memorySizeBytesMax: 2 ** 30 } })
    assert.deepEqual([node.msgTimeoutMs, node.hostname, node.memorySizeBytesMax], [5_000, 'h', 2 ** 30])
  })

  it("gives each plugin its options with its schema's defaults", async () => {
    const { transports } = await load(listener({ address: 'h:1' }))
    assert.deepEqual(transports[0]?.options, { address: 'h:1', connectionsMax: 10, mode: 'safe' })
  })

  it('reads numbers and booleans from the environment where the schema wants them', async () => {
    const options = { address: 'h:${PORT}', connectionsMax: '${MAX}', verbose: '${VERBOSE:-true}' }
    const { transports } = await load(listener(options), { PORT: '1', MAX: '7' })
    assert.deepEqual(transports[0]?.options, { address: 'h:1', connectionsMax: 7, verbose: true, mode: 'safe' })
  })

  it('names file, place, what is there and what may be there', async () => {
    assert.deepEqual(await linesOf({ ...BASE, node: { msgTimeoutMs: '60s' } }), [
      'spillway.json: /node/msgTimeoutMs: found "60s", expected a number, at least 1',
    ])
  })

  it('names the key that a misspelt one was meant to be', async () => {
    const [line] = await linesOf({ ...BASE, node: { msgTimeotMs: 1 } })
    assert.equal(line, 'spillway.json: /node/msgTimeotMs: found an unknown key; did you mean "msgTimeoutMs"?')
  })

  it('prefixes the places in plugin options', async () => {
    assert.deepEqual(await linesOf(listener({ adress: 'h:1', connectionsMax: 1000, mode: 'fats' })), [
      'spillway.json: /transports/0/options/address: found nothing, expected text, such as "127.0.0.1:4150"',
      'spillway.json: /transports/0/options/adress: found an unknown key; did you mean "address"?',
      'spillway.json: /transports/0/options/connectionsMax: found 1000, expected a whole number from 1 to 100',
      'spillway.json: /transports/0/options/mode: found "fats"; did you mean "fast"?',
    ])
  })

  it('tells everything that is wrong at once, in core and in plugins', async () => {
    const lines = await linesOf({
      node: { logLevel: 'loud' },
      storage: { use: './none.js' },
      transports: [{}],
      queues: 1,
    })
    assert.deepEqual(
      lines.map((line) => line.split(': ')[1]),
      ['/queues', '/node/logLevel', '/transports/0/use', '/storage/use'],
    )
  })

  it('tells variables that are not set together with the rest, and nothing that follows from them', async () => {
    const lines = await linesOf(listener({ address: '${NONE}', connectionsMax: 0 }))
    assert.deepEqual(
      lines.map((line) => line.split(', expected')[0]),
      [
        'spillway.json: /transports/0/options/address: found "${NONE}"',
        'spillway.json: /transports/0/options/connectionsMax: found 0',
      ],
    )
  })

  it('says that a plugin has no JSON schema, and why', async () => {
    const lines = await linesOf({ ...BASE, transports: [{ use: './odd.js' }] })
    assert.match(
      lines[0],
      /^spillway\.json: \/transports\/0\/use: found ".\/odd\.js", whose optionsSchema is no JSON schema: .*"colour"/,
    )
  })

  it('refuses a port that does not exist, where it knows the form of the address', async () => {
    const at = (address: string) => ({ ...BASE, transports: [{ use: './own.js', options: { address } }] })
    assert.deepEqual(await linesOf(at('h:65536')), [
      'spillway.json: /transports/0/options/address: found "h:65536", expected host:port or :port, with a port up to 65535, or the path of a Unix socket with a slash in it',
    ])
    assert.match((await linesOf(at('127.0.0.1')))[0], /found "127\.0\.0\.1", expected host:port or :port/)
    for (const path of ['./nsqd', '/run/nsqd', 'nsqd.sock']) assert.equal((await load(at(path))).transports.length, 1)
    assert.equal((await load(at('[::1]:65535'))).transports.length, 1)
    assert.equal((await load(listener({ address: 'h:65536' }))).transports.length, 1)
  })

  it('refuses two transports on one address, unless the system chooses the port', async () => {
    const at = (...addresses: string[]) => ({
      ...BASE,
      transports: addresses.map((address) => ({ use: './transport.js', options: { address } })),
    })
    assert.deepEqual(await linesOf(at('0.0.0.0:1', 'h:1', '0.0.0.0:1')), [
      'spillway.json: /transports/2/options/address: found "0.0.0.0:1", expected another address than that of /transports/0',
    ])
    assert.equal((await load(at('h:0', 'h:0'))).transports.length, 2)
  })

  it('refuses to require TLS of V2 clients where there is no certificate', async () => {
    const at = (options: object) => ({ ...BASE, transports: [{ use: './own.js', options }] })
    assert.deepEqual(await linesOf(at({ address: 'h:1', tlsRequired: true })), [
      'spillway.json: /transports/0/options/tlsRequired: found true, expected false, or tls beside it: without a certificate no client gets in',
    ])
    assert.equal((await load(at({ address: 'h:1', tlsRequired: true, tls: {} }))).transports.length, 1)
    assert.equal((await load(at({ address: 'h:1', tlsRequired: false }))).transports.length, 1)
  })

  it('puts quantiles into descending order, as nsqd shows them', async () => {
    const { node } = await load({ ...BASE, node: { e2eLatencyQuantiles: [0.5, 0.999, 0.95] } })
    assert.deepEqual(node.e2eLatencyQuantiles, [0.999, 0.95, 0.5])
  })

  it('refuses limits that contradict each other or a default', async () => {
    assert.deepEqual(await linesOf({ ...BASE, node: { msgTimeoutMsMax: 1_000, msgSizeBytesMax: 9e6 } }), [
      'spillway.json: /node/msgTimeoutMs: found 60000, expected at most node.msgTimeoutMsMax, which is 1000',
      'spillway.json: /node/msgSizeBytesMax: found 9000000, expected at most node.bodySizeBytesMax, which is 5242880',
    ])
  })

  it('does not show a secret that stands in the file, nor the pattern that it must have', async () => {
    const users = [{ name: 'a', secretHash: 'hunter2' }]
    assert.deepEqual(await linesOf({ ...BASE, authenticator: { use: './auth.js', options: { users } } }), [
      'spillway.json: /authenticator/options/users/0/secretHash: found a secret, not shown here, expected text: as `spillway hash-secret` prints it',
    ])
    for (const options of [{ users: users[0] }, { users: [], token: 'hunter2' }]) {
      const [line] = await linesOf({ ...BASE, authenticator: { use: './auth.js', options } })
      assert.doesNotMatch(line, /hunter2/)
    }
  })

  it('refuses a key that stands twice in an object, of which only the last would count', async () => {
    const text = JSON.stringify(BASE, null, 2).replace('"transports"', '"storage": {},\n  "transports"')
    assert.deepEqual((await linesOf(text)).slice(0, 1), [
      'spillway.json:5:3: found the key "storage" a second time, expected each key once in an object',
    ])
  })

  it('does not show values that came out of the environment', async () => {
    const [line] = await linesOf(listener({ address: '${SECRET}' }), { SECRET: 'hunter2' })
    assert.equal(
      line,
      'spillway.json: /transports/0/options/address: found the value of "${SECRET}", expected text that matches ^[^:]+:\\d+$, such as "127.0.0.1:4150"',
    )
  })

  it('names line and column where the file is no JSON', async () => {
    assert.deepEqual(await linesOf('{\n  "node": {},\n}'), [
      'spillway.json:3:1: found "}", expected a key in double quotes',
    ])
  })

  it('takes a byte order mark for what it is', async () => {
    assert.equal((await load(`\uFEFF${JSON.stringify(BASE)}`)).transports.length, 0)
  })

  it('says in one line that the file is not there', async () => {
    await assert.rejects(readConfigFile('/nowhere/spillway.json'), {
      code: 'E_CONFIG',
      detail: '/nowhere/spillway.json: found no such file, expected a JSON file that can be read',
    })
  })

  it('refuses a document that is no object', async () => {
    assert.deepEqual(await linesOf('[]'), ['spillway.json: found [], expected an object'])
  })

  describe('durability', () => {
    const withDurability = (durability: string) => ({
      ...BASE,
      storage: { use: './storage.js', options: { durability } },
    })

    it('is read by core, and kept from a storage that does not know it', async () => {
      const { durability, storage } = await load(withDurability('power'))
      assert.equal(durability, 'power')
      assert.deepEqual(storage.options, {})
    })

    it('is open where the file does not say it', async () => {
      assert.equal((await load(BASE)).durability, null)
    })

    it('is one of three', async () => {
      assert.deepEqual(await linesOf(withDurability('proces')), [
        'spillway.json: /storage/options/durability: found "proces"; did you mean "process"?',
      ])
    })

    const withTopics = (durabilityByTopic: object) => ({
      ...BASE,
      storage: { use: './storage.js', options: { durabilityByTopic } },
    })

    it('of topics is read by core, and kept from a storage that does not know it', async () => {
      const { durabilityByTopic, storage } = await load(withTopics({ orders: 'power', 'metrics.*': '${HOW}' }), {
        HOW: 'none',
      })
      assert.deepEqual(durabilityByTopic, { orders: 'power', 'metrics.*': 'none' })
      assert.deepEqual(storage.options, {})
      assert.deepEqual((await load(BASE)).durabilityByTopic, {})
    })

    it('of topics is one of three for names that topics can have', async () => {
      const expected = 'expected text that matches ^([.a-zA-Z0-9_-]{1,64}\\*?|\\*)$, such as "metrics.*"'
      assert.deepEqual(
        await linesOf(withTopics({ orders: 'pwer', 'a*b': 'none', 'x#ephemeral': 'none', '': 'none' })),
        [
          `spillway.json: /storage/options/durabilityByTopic/a*b: found this key, ${expected}`,
          `spillway.json: /storage/options/durabilityByTopic/x#ephemeral: found this key, ${expected}`,
          `spillway.json: /storage/options/durabilityByTopic/: found this key, ${expected}`,
          'spillway.json: /storage/options/durabilityByTopic/orders: found "pwer"; did you mean "power"?',
        ],
      )
    })
  })
})
