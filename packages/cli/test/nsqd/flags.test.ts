import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
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
        discovery: [{ use: '@spillway/discovery-nsqlookupd', options: {} }],
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
      assert.equal(flagOf('/discovery/0/options/tcpAddresses/0', values), 'lookupd-tcp-address')
      assert.equal(flagOf('/discovery/0/options/httpConnectTimeoutMs', values), 'http-client-connect-timeout')
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
      ['--tls-cert=c', 'failed to build TLS config - it takes both --tls-cert and --tls-key'],
      ['--http-auth', '--http-auth needs --auth-http-address'],
    ]
    for (const [flag, reason] of refused) assert.equal(refusalOf(valuesOf(flag)), reason, flag)
    const noServer = { 'http-auth': true, 'auth-http-address': [] }
    assert.equal(refusalOf(noServer), '--http-auth needs --auth-http-address')
    assert.equal(refusalOf(valuesOf('--max-deflate-level=9', '--node-id=1023', '--tls-required=false')), null)
  })

  it('become transports, an authenticator and a reporter', () => {
    const tls = valuesOf('--tls-cert=c.pem', '--tls-key=/k.pem', '--tls-required=tcp-https', '--https-address=:1')
    const expected = { certPath: resolve('c.pem'), keyPath: '/k.pem', clientAuthPolicy: 'none' }
    const [tcp, http, https] = configOfFlags(tls).transports
    assert.deepEqual(tcp.options, { address: '0.0.0.0:4150', tls: expected, tlsRequired: true })
    assert.deepEqual(http.options, { address: '0.0.0.0:4151' })
    assert.deepEqual(https.options, { address: ':1', tls: expected })

    const verified = valuesOf(
      '--tls-cert=c',
      '--tls-key=k',
      '--tls-client-auth-policy=require-verify',
      '--tls-min-version=tls1.3',
    )
    const [, plain, secure] = configOfFlags(verified).transports
    assert.deepEqual(plain.options, { address: '0.0.0.0:4151', tlsRequired: true })
    const ours = {
      certPath: resolve('c'),
      keyPath: resolve('k'),
      clientAuthPolicy: 'require-verify',
      versionMin: 'TLS1.3',
    }
    assert.deepEqual(secure.options, { address: '0.0.0.0:4152', tls: ours })

    const asked = valuesOf('--auth-http-address=a:1', '--auth-http-address=b:1', '--auth-http-request-method=post')
    assert.deepEqual(configOfFlags(asked).authenticator, {
      use: '@spillway/auth-nsq',
      options: { addresses: ['a:1', 'b:1'], requestMethod: 'post' },
    })
    assert.deepEqual(configOfFlags(valuesOf('--statsd-address=s:8125', '--statsd-interval=10s')).reporters, [
      { use: '@spillway/reporter-statsd', options: { address: 's:8125', intervalMs: 10_000 } },
    ])
    assert.equal('authenticator' in configOfFlags({ 'auth-http-address': [] }), false)
    const found = valuesOf('--lookupd-tcp-address=l:4160', '--http-client-connect-timeout=1s')
    assert.deepEqual(configOfFlags(found).discovery, [
      { use: '@spillway/discovery-nsqlookupd', options: { tcpAddresses: ['l:4160'], httpConnectTimeoutMs: 1_000 } },
    ])
    const quantiles = valuesOf('--e2e-processing-latency-percentile=0.5,0.99')
    assert.deepEqual(configOfFlags(quantiles).node?.e2eLatencyQuantiles, [0.5, 0.99])
  })

  it('may have the values that nsqd takes for others', () => {
    const auth = valuesOf(
      '--auth-http-address=a:1',
      '--http-client-request-timeout=0',
      '--http-client-connect-timeout=0',
    )
    assert.deepEqual(configOfFlags(auth).authenticator?.options, { addresses: ['a:1'] })
    assert.deepEqual(configOfFlags(auth).discovery?.[0].options, {})
    const statsd = valuesOf('--statsd-address=:8125', '--statsd-udp-packet-size=0')
    assert.deepEqual(configOfFlags(statsd).reporters?.[0].options, { address: ':8125', packetSizeBytes: 4096 })
    const [tcp] = configOfFlags(valuesOf('--tls-cert=c', '--tls-key=k', '--tls-min-version=')).transports
    assert.doesNotMatch(JSON.stringify(tcp), /versionMin/)
  })

  it('warn of a statsd address that nothing can be sent to, and do without', () => {
    for (const address of ['h', 'h:statsd', 'h:0', 'h:65536']) {
      const values = valuesOf(`--statsd-address=${address}`)
      assert.match(warningsOf(values)[0], new RegExp(`^--statsd-address=${address} is not used: expected `))
      assert.equal('reporters' in configOfFlags(values), false)
    }
  })

  it('warn of an nsqlookupd that cannot be connected to, and do without', () => {
    const values = valuesOf(
      ...['h', 'a:4160', 'h:lookupd', '', '[::1]:4160'].map((each) => `--lookupd-tcp-address=${each}`),
    )
    assert.deepEqual(warningsOf(values), [
      '--lookupd-tcp-address=h is not used: expected <addr>:<port> with a port from 1 to 65535',
      '--lookupd-tcp-address=h:lookupd is not used: expected <addr>:<port> with a port from 1 to 65535',
    ])
    assert.deepEqual(configOfFlags(values).discovery?.[0].options, { tcpAddresses: ['a:4160', '[::1]:4160'] })
  })

  it('tell a percentile that is no number', () => {
    assert.equal(unparsablePercentile(valuesOf('--e2e-processing-latency-percentile=0.5, 0.9')), ' 0.9')
    assert.equal(unparsablePercentile(valuesOf('--e2e-processing-latency-percentile=0.5,high')), 'high')
    assert.equal(unparsablePercentile(valuesOf('--e2e-processing-latency-percentile=0.5,1')), undefined)
  })

  it('warn, once each, where they are set to something that changes nothing', () => {
    assert.deepEqual(warningsOf(valuesOf('--sync-every=1', '--enable-experiment=a', '--enable-experiment=b')), [
      '--sync-every has no effect in Spillway',
      '--enable-experiment has no effect in Spillway',
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
      'config',
      'log-prefix',
      'log-format',
      'tcp-address',
      'http-address',
      'https-address',
      'max-connections',
      'http-auth',
      'http-debug',
      'http-client-connect-timeout',
      'http-client-request-timeout',
      'lookupd-tcp-address',
      'deflate',
      'snappy',
      'e2e-processing-latency-percentile',
      'data-path',
      'storage',
      'sync-timeout',
    ]
    for (const [name, { effect, pointer }] of Object.entries(FLAGS)) {
      const isOfAPlugin = /^(?:tls|auth|statsd)-/.test(name)
      const goesSomewhere = pointer !== undefined || isOfAPlugin || handledByHand.includes(name)
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
      if (effect === 'never') assert.match(here, /^never/, name)
    }
  })
})
