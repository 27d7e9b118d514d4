import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import type { Setting } from '@spillway/core'
import { configFromValue, loadConfig, SpillwayNode } from '@spillway/core/node'
import { TestLogger } from '@spillway/core/testing'
import { parseGoFlags } from '../../src/go-flags.js'
import { NSQD_FLAGS } from '../../src/nsqd/flags.js'
import { settingsOf, settingsOfConfig } from '../../src/nsqd/settings.js'
import { configOfFlags } from '../../src/nsqd/to-config.js'

const logger = new TestLogger()
/** The settings of a node with these flags, which listens. */
async function settings(...args: string[]): Promise<Map<string, Setting>> {
  const { values } = parseGoFlags(NSQD_FLAGS, ['--data-path=x', '--storage=memory', ...args])
  const raw = configFromValue(configOfFlags(values), 'nsqd', process.cwd())
  const config = await loadConfig(raw, { pluginsFrom: [import.meta.url] })
  const settings = settingsOf(values, logger, () => ({ options: node.broker.options, addresses: ADDRESSES }))
  const node: SpillwayNode = new SpillwayNode(config, { logger, settings })
  return new Map(node.broker.settings)
}

const ADDRESSES = [
  { protocol: 'tcp', address: '127.0.0.1', port: 41500 },
  { protocol: 'http', address: '127.0.0.1', port: 41510 },
] as const

describe('what /config shows', () => {
  it('has every option under its key, at its default, as nsqd holds it', async () => {
    const shown = Object.fromEntries([...(await settings())].map(([name, { get }]) => [name, get()]))
    const some = {
      id: 0,
      tcp_address: '0.0.0.0:4150',
      msg_timeout: 60_000_000_000,
      output_buffer_timeout: 250_000_000,
      max_rdy_count: 2_500,
      nsqlookupd_tcp_addresses: [],
      auth_http_addresses: [],
      e2e_processing_latency_percentiles: [],
      snappy: true,
      tls_required: 0,
      tls_min_version: 771,
      statsd_prefix: 'nsq.%s',
      enable_experiment: [],
      broadcast_address: hostname(),
      broadcast_tcp_port: 41500,
      broadcast_http_port: 41510,
      storage: 'memory',
      durability: 'none',
      log_format: 'text',
    }
    for (const [name, value] of Object.entries(some)) assert.deepEqual(shown[name], value, name)
    assert.ok((shown.memory_limit as number) > 0)
    for (const hidden of ['version', 'config', 'verbose', 'worker_id']) assert.equal(hidden in shown, false, hidden)
    for (const [name, value] of Object.entries(shown)) assert.notEqual(value, undefined, name)
  })

  it('has what was given', async () => {
    const percentiles = '--e2e-processing-latency-percentile=0.5,0.99'
    const tls = ['--tls-cert=c', '--tls-key=k']
    const given = await settings('--msg-timeout=5s', '--tls-required=tcp-https', percentiles, '--snappy=false', ...tls)
    assert.equal(given.get('msg_timeout')?.get(), 5_000_000_000)
    assert.equal(given.get('tls_required')?.get(), 1)
    assert.deepEqual(given.get('e2e_processing_latency_percentiles')?.get(), [0.99, 0.5])
    assert.equal(given.get('snappy')?.get(), false)
    const verifying = await settings('--tls-client-auth-policy=require', '--tls-min-version=', ...tls)
    assert.equal(verifying.get('tls_required')?.get(), 2)
    assert.equal(verifying.get('tls_min_version')?.get(), 771)
  })

  it('is, of a configuration of our own, what the node itself holds to', async () => {
    const transports = [{ use: '@spillway/transport-tcp', options: { address: '127.0.0.1:0', snappy: false } }]
    const node = { dataPath: '/data', msgTimeoutMs: 1_234, e2eLatencyQuantiles: [0.5, 0.99] }
    const value = { node, storage: { use: '@spillway/storage-memory' }, transports }
    const config = await loadConfig(configFromValue(value, 'test', process.cwd()), { pluginsFrom: [import.meta.url] })
    const { options } = new SpillwayNode(config, { logger }).broker
    const all = settingsOfConfig(config, logger, () => ({ options, addresses: ADDRESSES }))
    const shown = Object.fromEntries(all.map(({ name, get }) => [name, get()]))
    assert.equal(shown.msg_timeout, 1_234_000_000)
    assert.equal(shown.data_path, '/data')
    assert.equal(shown.broadcast_tcp_port, 41500)
    assert.deepEqual(shown.e2e_processing_latency_percentiles, [0.99, 0.5])
    for (const name of ['tcp_address', 'statsd_address', 'snappy', 'tls_required', 'nsqlookupd_tcp_addresses']) {
      assert.equal(name in shown, false, name)
    }
  })

  it('lets the log level and the addresses of nsqlookupd be changed, and nothing else', async () => {
    const all = await settings()
    all.get('log_level')?.set?.('ERROR')
    assert.equal(logger.level, 'error')
    assert.equal(all.get('log_level')?.get(), 4)
    assert.throws(() => all.get('log_level')?.set?.('"error"'), { code: 'E_INVALID_OPTION' })
    all.get('nsqlookupd_tcp_addresses')?.set?.('["a:1"]')
    assert.deepEqual(all.get('nsqlookupd_tcp_addresses')?.get(), ['a:1'])
    all.get('nsqlookupd_tcp_addresses')?.set?.('["a:1",null]')
    assert.deepEqual(all.get('nsqlookupd_tcp_addresses')?.get(), ['a:1', ''])
    all.get('nsqlookupd_tcp_addresses')?.set?.('null')
    for (const text of ['[1]', '{}', '[', '"a"']) {
      assert.throws(() => all.get('nsqlookupd_tcp_addresses')?.set?.(text), { code: 'E_INVALID_OPTION' }, text)
    }
    const changeable = [...all].filter(([, { set }]) => set !== null).map(([name]) => name)
    assert.deepEqual(changeable, ['log_level', 'nsqlookupd_tcp_addresses'])
  })
})
