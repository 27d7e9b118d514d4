import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Consumer, Producer } from '@spillway/client'
import {
  connectionOptionsOf,
  consumerOptionsOf,
  OPT_NAMES,
  OPTS_WITHOUT_EFFECT,
  parseClientOpt,
} from '../../../src/tools/common/client-opts.js'
import { FatalError } from '../../../src/tools/common/fatal-error.js'

const consumerOf = (...texts: string[]) => consumerOptionsOf(texts.map(parseClientOpt), 'tool/1')
const connectionOf = (...texts: string[]) => connectionOptionsOf(texts.map(parseClientOpt), 'tool/1')

/** A value that each option takes. */
const SAMPLES: Readonly<Record<string, string>> = {
  backoff_strategy: 'full_jitter',
  lookupd_poll_jitter: '0.5',
  max_attempts: '7',
  sample_rate: '50',
  tls_min_version: 'tls1.2',
  deflate_level: '3',
  output_buffer_size: '4096',
  max_in_flight: '10',
  max_msg_size: '2048',
  local_addr: '127.0.0.1:0',
  rdy_redistribute_interval: '2s',
}
const BOOLEANS = ['tls_v1', 'tls_insecure_skip_verify', 'deflate', 'snappy', 'skip_lookupd_authorization']
const TEXTS = /^(client_id|hostname|user_agent|topology_|tls_|auth_secret)/

const sampleOf = (name: string): string => SAMPLES[name] ?? (TEXTS.test(name) ? 'some-text' : '5s')

describe('--consumer-opt and --producer-opt', () => {
  it('know every name of go-nsq', () => {
    const names = `dial_timeout read_timeout write_timeout local_addr lookupd_poll_interval lookupd_poll_jitter lookupd_poll_timeout
      max_requeue_delay default_requeue_delay backoff_strategy max_backoff_duration backoff_multiplier max_attempts low_rdy_idle_timeout
      low_rdy_timeout rdy_redistribute_interval client_id hostname user_agent topology_region topology_zone heartbeat_interval sample_rate
      tls_v1 tls_root_ca_file tls_insecure_skip_verify tls_cert tls_key tls_min_version deflate deflate_level snappy output_buffer_size
      output_buffer_timeout max_in_flight msg_timeout max_msg_size auth_secret skip_lookupd_authorization`
    assert.deepEqual([...OPT_NAMES].sort(), names.split(/\s+/).sort())
  })

  it('change something in the client, all but those that are said to have no effect', () => {
    const plain = JSON.stringify(consumerOf())
    const idle = OPT_NAMES.filter((name) => {
      if (/^tls_(root|cert|key)/.test(name)) return false // they name files
      const given = BOOLEANS.includes(name) ? name : `${name},${sampleOf(name)}`
      const others = name.startsWith('tls_') ? ['tls_v1'] : []
      const before = others.length === 0 ? plain : JSON.stringify(consumerOf(...others))
      if (name === 'tls_v1') return JSON.stringify(consumerOf(given)) === plain
      return JSON.stringify(consumerOf(...others, given)) === before
    })
    assert.deepEqual(idle.sort(), Object.keys(OPTS_WITHOUT_EFFECT).sort())
  })

  it('give options that consumers and producers take', () => {
    const texts = OPT_NAMES.filter((name) => !BOOLEANS.includes(name) && !name.startsWith('tls_'))
    const opts = texts.map((name) => parseClientOpt(`${name},${sampleOf(name)}`))
    const at = { address: '127.0.0.1:4150' }
    new Consumer({ topic: 't', channel: 'c', ...at, ...consumerOptionsOf(opts, 'tool/1') })
    new Producer({ ...at, ...connectionOptionsOf(opts, 'tool/1') })
  })

  it('mean true without a value, where that can be, and take names with dashes', () => {
    assert.equal(connectionOf('snappy').compression, 'snappy')
    assert.equal(connectionOf('snappy,false').compression, undefined)
    assert.equal(consumerOf('max-attempts,9').maxAttempts, 9)
    assert.throws(() => parseClientOpt('max_attempts'), /max_attempts needs a value: max_attempts,VALUE/)
  })

  it('say what is wrong with a name or a value', () => {
    const mistakes: [string, RegExp][] = [
      ['nonsense,1', /^invalid option nonsense$/],
      ['toString,1', /^invalid option toString$/],
      ['msg_timeout,soon', /^parse error$/],
      ['max_attempts,65536', /^must be from 0 to 65535$/],
      ['low_rdy_timeout,10m', /^must be from 1000 to 300000 ms$/],
      ['backoff_strategy,none', /^expected one of exponential, full_jitter$/],
    ]
    for (const [text, reason] of mistakes) {
      assert.throws(() => parseClientOpt(text), { message: reason })
    }
  })

  it('the last value counts', () => {
    assert.equal(consumerOf('max_attempts,1', 'max_attempts,2').maxAttempts, 2)
  })

  it('send the secret to nsqlookupd too, as go-nsq does, unless they say not to', () => {
    assert.equal(consumerOf().lookupdAuthorization, true)
    assert.equal(consumerOf('skip_lookupd_authorization').lookupdAuthorization, false)
  })

  it('0 is as it comes for what a node gathers', () => {
    assert.equal(connectionOf('output_buffer_timeout,0').outputBufferTimeoutMs, -1)
    assert.equal(connectionOf('output_buffer_size,0').outputBufferSizeBytes, -1)
  })

  it('read the files of TLS, which counts only with tls_v1', () => {
    const folder = mkdtempSync(join(tmpdir(), 'spillway-opts-'))
    try {
      const path = join(folder, 'ca.pem')
      writeFileSync(path, 'certificate')
      assert.deepEqual(connectionOf(`tls_root_ca_file,${path}`).tls, undefined)
      const opts = ['tls_v1', `tls_root_ca_file,${path}`, 'tls_insecure_skip_verify', 'tls_min_version,tls1.2']
      assert.deepEqual(connectionOf(...opts).tls, {
        ca: Buffer.from('certificate'),
        rejectUnauthorized: false,
        minVersion: 'TLSv1.2',
      })
      assert.throws(() => connectionOf('tls_v1', `tls_key,${folder}/none.pem`), /the option tls_key: ENOENT/)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('do not take two compressions', () => {
    assert.throws(
      () => connectionOf('deflate', 'snappy'),
      new FatalError('use the options deflate or snappy, not both'),
    )
  })
})
