import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfigFile } from '../../src/nsqd/config-file.js'
import { configOfFlags } from '../../src/nsqd/to-config.js'

let folder = ''

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-toml-'))
})

after(() => rmSync(folder, { recursive: true }))

function read(text: string) {
  const path = join(folder, 'nsqd.toml')
  writeFileSync(path, text)
  return readConfigFile(path)
}

describe("nsqd's configuration file", () => {
  it('has its flags by key, with the exceptions that nsqd makes', () => {
    const { values, warnings } = read(`
      id = 5
      tcp_address = "127.0.0.1:0"
      nsqlookupd_tcp_addresses = ["a:1", "b:1"]
      auth_http_addresses = "c:1,d:1"
      max_rdy_count = "100"
      tls_required = "tcp-https"
      log_level = "WARN"
    `)
    assert.deepEqual(values, {
      'node-id': 5,
      'tcp-address': '127.0.0.1:0',
      'lookupd-tcp-address': ['a:1', 'b:1'],
      'auth-http-address': ['c:1', 'd:1'],
      'max-rdy-count': 100,
      'tls-required': 'tcp-https',
      'log-level': 'warn',
    })
    assert.deepEqual(warnings, [])
  })

  it('takes durations with a unit, or as whole milliseconds', () => {
    const { values } = read('msg_timeout = "1m30s"\nmax_msg_timeout = 2000\n')
    assert.deepEqual(values, { 'msg-timeout': 90_000, 'max-msg-timeout': 2_000 })
  })

  it('takes percentiles as numbers or texts, whole ones too', () => {
    const { values } = read('e2e_processing_latency_percentiles = [1, 0.99, "0.5"]')
    assert.deepEqual(values['e2e-processing-latency-percentile'], ['1', '0.99', '0.5'])
  })

  it('may leave empty what has a default', () => {
    const { values } = read('tls_cert = ""\ntls_key = ""\ntls_min_version = ""\nauth_http_addresses = []\n')
    assert.equal(values['tls-min-version'], '')
    const config = configOfFlags(values)
    assert.equal('authenticator' in config, false)
    assert.equal(config.transports.length, 2)
  })

  it('takes 1 and 0 for true and false', () => {
    assert.deepEqual(read('deflate = 1\nsnappy = false\n').values, { deflate: true, snappy: false })
  })

  it('tells of keys that nobody knows, with the one that may be meant, and goes on', () => {
    const { values, warnings } = read('max_rdy_cuont = 1\nsnappy = false\n')
    assert.deepEqual(values, { snappy: false })
    assert.match(warnings[0], /nsqd\.toml: unknown key "max_rdy_cuont"; did you mean "max_rdy_count"\?$/)
  })

  it('is refused by place where it is no TOML, and by key where a value cannot be taken', () => {
    assert.throws(() => read('a = 1\nb = = 2\n'), { message: /^line 2, column \d+: ./ })
    assert.throws(() => read('msg_timeout = "5"'), { message: 'failed parsing msg_timeout "5": parse error' })
    assert.throws(() => read('log_level = "loud"'), {
      message: /^failed parsing log_level "loud": expected one of debug/,
    })
    assert.throws(() => read('[msg_timeout]\na = 1'), { message: /^failed parsing msg_timeout/ })
    assert.throws(() => readConfigFile(join(folder, 'none.toml')), { message: 'no such file' })
  })
})
