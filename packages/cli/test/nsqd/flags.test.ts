import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parseGoFlags } from '../../src/go-flags.js'
import { refusalOf, unparsablePercentile, warningsOf } from '../../src/nsqd/check-flags.js'
import { NSQD_FLAGS, type NsqdFlag } from '../../src/nsqd/flags.js'
import { configOfFlags, flagOf, type NsqdValues } from '../../src/nsqd/to-config.js'

const FLAGS: Record<string, NsqdFlag> = NSQD_FLAGS
const valuesOf = (...args: string[]): NsqdValues => parseGoFlags(NSQD_FLAGS, args).values
const configOf = (...args: string[]) => configOfFlags(valuesOf(...args))

describe("nsqd's flags", () => {
  describe('as a configuration', () => {
    it('are RocksDB, TCP and HTTP on their usual ports where nothing is said', () => {
      assert.deepEqual(configOf(), {
        node: { dataPath: '.' },
        storage: { use: '@spillway/storage-rocksdb' },
        transports: [
          { use: '@spillway/transport-tcp', options: { address: '0.0.0.0:4150' } },
          { use: '@spillway/transport-http', options: { address: '0.0.0.0:4151' } },
        ],
      })
    })

    it('are limits and names, times in milliseconds', () => {
      const { node } = configOf('--msg-timeout=5s', '-max-rdy-count', '10', '--broadcast-address=b', '--data-path=/d')
      assert.deepEqual(node, { dataPath: '/d', msgTimeoutMs: 5_000, readyCountMax: 10, broadcastAddress: 'b' })
    })

    it('have no transport where its address is empty', () => {
      assert.deepEqual(configOf('--http-address=', '--tcp-address=/run/nsqd.sock').transports, [
        { use: '@spillway/transport-tcp', options: { address: '/run/nsqd.sock' } },
      ])
    })

    it('name a storage by a word, a package or a path, and its durability', () => {
      assert.equal(configOf('--storage=@me/storage').storage.use, '@me/storage')
      assert.deepEqual(configOf('--storage=./mine.js', '--durability=power').storage, {
        use: './mine.js',
        options: { durability: 'power' },
      })
    })

    it('are found again from a place in the configuration', () => {
      const values = valuesOf('--tcp-address=')
      assert.equal(flagOf('/node/msgTimeoutMs', values), 'msg-timeout')
      assert.equal(flagOf('/transports/0/options/address', values), 'http-address')
      assert.equal(flagOf('/storage/options/durability', values), 'durability')
      assert.equal(flagOf('/storage/use', values), 'storage')
      assert.equal(flagOf('/queue', values), null)
    })
  })

  it('are refused where nsqd refuses them, in its words', () => {
    const refused: [string, string][] = [
      ['--max-deflate-level=0', '--max-deflate-level must be [1,9]'],
      ['--max-deflate-level=10', '--max-deflate-level must be [1,9]'],
      ['--node-id=1024', '--node-id must be [0,1024)'],
      ['--node-id=-1', '--node-id must be [0,1024)'],
      ['--auth-http-request-method=put', '--auth-http-request-method must be post or get'],
      ['--tls-required', 'cannot require TLS client connections without TLS key and cert'],
      ['--tls-client-auth-policy=x', 'cannot require TLS client connections without TLS key and cert'],
      ['--e2e-processing-latency-percentile=0.5,1.5', 'invalid E2E processing latency percentile: 1.5'],
    ]
    for (const [flag, reason] of refused) assert.equal(refusalOf(valuesOf(flag)), reason, flag)
    assert.equal(refusalOf(valuesOf('--max-deflate-level=9', '--node-id=1023', '--tls-required=false')), null)
  })

  it('are refused where they ask for protection that is not there', () => {
    const tls = valuesOf('--tls-required=tcp-https', '--tls-cert=c', '--tls-key=k')
    assert.equal(refusalOf(tls), 'TLS is required, and this version has no TLS')
    assert.match(refusalOf(valuesOf('--auth-http-address=a:1')) ?? '', /no authentication/)
    assert.equal(refusalOf(valuesOf('--tls-cert=c')), '--tls-cert is set, and this version has no TLS')
    assert.equal(refusalOf(valuesOf('--tls-key=k')), '--tls-key is set, and this version has no TLS')
    assert.equal(refusalOf(valuesOf('--tls-cert=', '--tls-key=')), null)
  })

  it('tell a percentile that is no number', () => {
    assert.equal(unparsablePercentile(valuesOf('--e2e-processing-latency-percentile=0.5,high')), 'high')
    assert.equal(unparsablePercentile(valuesOf('--e2e-processing-latency-percentile=0.5,1')), undefined)
  })

  it('warn, once each, where they are set to something that changes nothing', () => {
    const args = [
      '--tls-root-ca-file=c',
      '--snappy=true',
      '--sync-every=1',
      '--lookupd-tcp-address=a:1',
      '--lookupd-tcp-address=b:1',
    ]
    assert.deepEqual(warningsOf(valuesOf(...args)), [
      '--tls-root-ca-file has no effect in this version',
      '--snappy has no effect in this version',
      '--sync-every has no effect in Spillway',
      '--lookupd-tcp-address has no effect in this version',
    ])
  })

  it('tell that a data path is not used by a storage in memory', () => {
    assert.deepEqual(warningsOf(valuesOf('--data-path=/nope', '--storage=memory')), [
      '--data-path is not used: this storage keeps messages in memory',
    ])
    assert.deepEqual(warningsOf(valuesOf('--data-path=/nope')), [])
  })

  it('do not warn where they are effective, switched off, or would do nothing in nsqd either', () => {
    const quiet = [
      '--msg-timeout=5s',
      '--deflate=false',
      '--statsd-address=',
      '--tls-required=false',
      '--https-address=h:1',
    ]
    assert.deepEqual(warningsOf(valuesOf(...quiet)), [])
  })

  it('each go somewhere, or say that they do not', () => {
    const handledByHand = [
      'version',
      'log-prefix',
      'tcp-address',
      'http-address',
      'data-path',
      'storage',
      'sync-timeout',
    ]
    for (const [name, { effect, pointer }] of Object.entries(FLAGS)) {
      const goesSomewhere = pointer !== undefined || handledByHand.includes(name)
      assert.equal(goesSomewhere, effect === 'effective', name)
    }
  })

  it('each stand in docs/configuration.md, with where they go', () => {
    const text = readFileSync(new URL('../../../../../docs/configuration.md', import.meta.url), 'utf8')
    const rows = new Map([...text.matchAll(/^\| `--([\w-]+)` \| (.*) \|$/gm)].map(([, name, here]) => [name, here]))
    assert.deepEqual([...rows.keys()].toSorted(), Object.keys(FLAGS).toSorted())
    for (const [name, { pointer, effect }] of Object.entries(FLAGS)) {
      const here = rows.get(name) ?? ''
      if (pointer !== undefined)
        assert.ok(here.includes(`\`${pointer.slice(1).replaceAll('/', '.')}\``), `${name}: ${here}`)
      if (effect === 'later') assert.match(here, /^no effect yet/, name)
      if (effect === 'refused') assert.match(here, /^refused/, name)
      if (effect === 'never') assert.match(here, /^never/, name)
    }
  })
})
