import assert from 'node:assert/strict'
import { TestLogger } from '@spillway/core/testing'
import { parseGoFlags } from '../../src/go-flags.js'
import { NSQD_FLAGS } from '../../src/nsqd/flags.js'
import { settingsOf } from '../../src/nsqd/settings.js'

const logger = new TestLogger()
const settings = (...args: string[]) =>
  new Map(settingsOf(parseGoFlags(NSQD_FLAGS, args).values, logger).map((setting) => [setting.name, setting]))

describe('what /config shows', () => {
  it('has every option under its key, at its default, as nsqd holds it', () => {
    const shown = Object.fromEntries([...settings()].map(([name, { get }]) => [name, get()]))
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
      data_path: '',
      enable_experiment: [],
    }
    for (const [name, value] of Object.entries(some)) assert.deepEqual(shown[name], value, name)
    for (const name of ['version', 'config', 'verbose', 'worker_id']) assert.equal(name in shown, false, name)
  })

  it('has what was given', () => {
    const given = settings('--msg-timeout=5s', '--tls-required=tcp-https', '--e2e-processing-latency-percentile=0.5')
    assert.equal(given.get('msg_timeout')?.get(), 5_000_000_000)
    assert.equal(given.get('tls_required')?.get(), 1)
    assert.deepEqual(given.get('e2e_processing_latency_percentiles')?.get(), [0.5])
  })

  it('lets the log level and the addresses of nsqlookupd be changed, and nothing else', () => {
    const all = settings()
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
