import assert from 'node:assert/strict'
import { TestTransport } from './support/start-transport.js'

describe('GET /ping and /info', () => {
  let http: TestTransport

  beforeEach(async () => {
    http = await TestTransport.start()
  })

  afterEach(() => http.stop())

  it('answers OK in plain text while the node is well', async () => {
    const answer = await http.get('/ping?;%zz')
    assert.deepEqual([answer.status, answer.text], [200, 'OK'])
    assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8')
    assert.equal(answer.headers['x-nsq-content-type'], undefined)
  })

  it('answers 500 with what is wrong with the node', async () => {
    http.broker.health = 'disk on fire'
    const answer = await http.get('/ping')
    assert.deepEqual([answer.status, answer.text], [500, 'NOK - disk on fire'])
  })

  it('says who the node is, and what it listens at', async () => {
    http.broker.addresses = [{ protocol: 'tcp', address: '0.0.0.0', port: 4150 }, ...http.transport.addresses]
    const answer = await http.get('/info?;%zz')
    assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
    assert.equal(answer.headers['x-nsq-content-type'], 'nsq; version=1.0')
    assert.equal(
      answer.text,
      `{"version":"1.3.0","broadcast_address":"broadcast.test","hostname":"host.test","http_port":${http.port}` +
        ',"tcp_port":4150,"start_time":1767323045,"max_heartbeat_interval":60000000000' +
        ',"max_output_buffer_size":65536,"max_output_buffer_timeout":30000000000,"max_deflate_level":6' +
        ',"topology_zone":"","topology_region":""}',
    )
  })

  it('gives -1 for the port of a Unix socket and for none', async () => {
    http.broker.addresses = [{ protocol: 'http', address: '/run/http.sock', port: -1 }]
    const { http_port, tcp_port } = JSON.parse((await http.get('/info')).text)
    assert.deepEqual([http_port, tcp_port], [-1, -1])
  })

  it('gives the first port, also behind a Unix socket', async () => {
    http.broker.addresses = [
      { protocol: 'tcp', address: '/run/tcp.sock', port: -1 },
      { protocol: 'tcp', address: '127.0.0.1', port: 4150 },
      { protocol: 'tcp', address: '127.0.0.1', port: 5150 },
    ]
    assert.equal(JSON.parse((await http.get('/info')).text).tcp_port, 4150)
  })
})
