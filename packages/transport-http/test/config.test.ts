import assert from 'node:assert/strict'
import { BrokerError } from '@spillway/core'
import { TestTransport } from './support/start-transport.js'

describe('/config', () => {
  let http: TestTransport
  let level = 'info'

  before(async () => {
    http = await TestTransport.start()
    http.broker.settings.set('text', { name: 'text', get: () => 'a <b>', set: null })
    http.broker.settings.set('empty', { name: 'empty', get: () => '', set: null })
    http.broker.settings.set('list', { name: 'list', get: () => ['a', '<b>'], set: null })
    http.broker.settings.set('log_level', {
      name: 'log_level',
      get: () => level,
      set(text) {
        if (text === 'bad') throw new BrokerError('E_INVALID_OPTION', text)
        level = text
      },
    })
  })

  after(() => http.stop())

  const put = (path: string, body: string) => http.request('PUT', path, { body })

  it('shows texts as they are, and everything else as JSON', async () => {
    const text = await http.get('/config/text')
    assert.deepEqual(
      [text.status, text.text, text.headers['content-type']],
      [200, 'a <b>', 'text/plain; charset=utf-8'],
    )
    const empty = await http.get('/config/empty')
    assert.deepEqual([empty.status, empty.text, empty.headers['content-type']], [200, '', undefined])
    const list = await http.get('/config/list')
    assert.deepEqual([list.status, list.text], [200, '["a","\\u003cb\\u003e"]'])
  })

  it('changes what can be changed, and answers with the new value', async () => {
    const { status, text } = await put('/config/log_level', 'debug')
    assert.deepEqual([status, text, level], [200, 'debug', 'debug'])
  })

  it('looks at the body, then the option, then the value', async () => {
    const answers = [
      [await put('/config/nobody', ''), 413, 'INVALID_VALUE'],
      [await put('/config/log_level', 'x'.repeat(1_048_577)), 413, 'INVALID_VALUE'],
      [await put('/config/nobody', 'x'), 400, 'INVALID_OPTION'],
      [await put('/config/text', 'x'), 400, 'INVALID_OPTION'],
      [await put('/config/log_level', 'bad'), 400, 'INVALID_VALUE'],
      [await http.get('/config/nobody'), 400, 'INVALID_OPTION'],
    ] as const
    for (const [{ status, text }, expected, code] of answers) {
      assert.deepEqual([status, text], [expected, `{"message":"${code}"}`])
    }
  })

  it('knows no other methods, and nothing below an option', async () => {
    const { status, headers } = await http.post('/config/text')
    assert.deepEqual([status, headers.allow], [405, 'GET, OPTIONS, PUT'])
    assert.equal((await http.get('/config/text/more')).status, 404)
    assert.equal((await http.get('/config/')).status, 404)
    assert.equal((await http.get('/config')).status, 404)
  })
})

/** Waits until a profile is being made, or none is. A profile of no seconds is refused either way, differently. */
async function profiling(http: TestTransport, isWanted: boolean): Promise<void> {
  const status = isWanted ? 503 : 400
  while ((await http.get('/debug/pprof/profile?seconds=0')).status !== status);
}

describe('/debug', () => {
  it('profiles no longer than the client is there', async () => {
    const http = await TestTransport.start({ debug: true })
    const client = http.connect().send('GET /debug/pprof/profile?seconds=60 HTTP/1.1\r\nHost: x\r\n\r\n')
    await profiling(http, true)
    client.destroy()
    await profiling(http, false)
    await http.stop()
  })

  it('ends a profile when the node stops, with what there is by then', async () => {
    const http = await TestTransport.start({ debug: true })
    const answer = http.get('/debug/pprof/profile?seconds=60')
    await profiling(http, true)
    await http.transport.drain(5_000)
    const { status, text } = await answer
    assert.equal(status, 200)
    assert.ok(Array.isArray(JSON.parse(text).nodes))
    await http.stop()
  })

  it('is not there unless an option asks for it', async () => {
    const http = await TestTransport.start()
    assert.equal((await http.get('/debug/pprof/')).status, 404)
    assert.equal((await http.post('/debug/freememory')).status, 404)
    await http.stop()
  })

  it('tells of the process', async () => {
    const http = await TestTransport.start({ debug: true })
    assert.match((await http.get('/debug/pprof/')).text, /profile\?seconds=30/)
    assert.match((await http.get('/debug/pprof/cmdline')).text, /mocha/)
    assert.match((await http.get('/debug/pprof/goroutine')).text, /^\d+ \w+\n/)
    const profile = await http.get('/debug/pprof/profile?seconds=0.05')
    assert.ok(Array.isArray(JSON.parse(profile.text).nodes))
    const [first, second] = await Promise.all([
      http.get('/debug/pprof/profile?seconds=0.2'),
      http.get('/debug/pprof/profile?seconds=0.2'),
    ])
    assert.deepEqual([first.status, second.status].sort(), [200, 503])
    assert.equal((await http.get('/debug/pprof/profile?seconds=1000')).status, 400)
    assert.equal((await http.get('/debug/pprof/nothing')).status, 404)
    assert.equal((await http.post('/debug/freememory')).status, 200)
    assert.equal((await http.request('PUT', '/debug/setblockrate?rate=1')).status, 200)
    assert.equal((await http.request('PUT', '/debug/setblockrate?rate=x')).status, 400)
    await http.stop()
  })
})
