import assert from 'node:assert/strict'
import { assertError } from './support/assert-answer.js'
import { exchangeRaw } from './support/http-client.js'
import { TestTransport } from './support/start-transport.js'

const GETS = ['/ping', '/info', '/stats']
const POSTS = [
  '/pub',
  '/mpub',
  ...['create', 'delete', 'empty', 'pause', 'unpause'].flatMap((action) => [`/topic/${action}`, `/channel/${action}`]),
]

describe('routes', () => {
  let http: TestTransport

  before(async () => {
    http = await TestTransport.start()
  })

  after(() => http.stop())

  for (const path of [...GETS, ...POSTS]) {
    const allow = GETS.includes(path) ? 'GET, OPTIONS' : 'OPTIONS, POST'
    it(`${path} says which methods it has`, async () => {
      const options = await http.request('OPTIONS', path)
      assert.deepEqual([options.status, options.text, options.headers.allow], [200, '', allow])
      for (const method of ['PUT', 'DELETE', GETS.includes(path) ? 'POST' : 'GET']) {
        const wrong = await http.request(method, path)
        assertError(wrong, 405, 'METHOD_NOT_ALLOWED')
        assert.equal(wrong.headers.allow, allow)
      }
    })
  }

  it('has no HEAD, and says so without a body', async () => {
    const answer = await http.request('HEAD', '/ping')
    assert.deepEqual([answer.status, answer.text, answer.headers.allow], [405, '', 'GET, OPTIONS'])
    assert.equal(answer.headers['x-nsq-content-type'], 'nsq; version=1.0')
  })

  for (const path of ['/', '/nowhere', '/topic', '/topic/', '/pub/x', '/config', '/debug/pprof/']) {
    it(`does not know ${path}`, async () => {
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        assertError(await http.request(method, path), 404, 'NOT_FOUND')
      }
    })
  }

  for (const path of ['/stats/', '/Stats', '//stats', '/x/../stats', '/./stats//']) {
    it(`redirects GET ${path} to the path that is meant, with the query`, async () => {
      const answer = await http.get(`${path}?format=json&a="<b>"`)
      assert.deepEqual([answer.status, answer.headers.location], [301, '/stats?format=json&a="<b>"'])
      assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
      assert.doesNotMatch(answer.text, /<b>/)
    })
  }

  it('redirects to what stands below a path, and keeps how that is spelt', async () => {
    const redirects = [
      ['/config/log_level/', '/config/log_level'],
      ['/Config/Log_level', '/config/Log_level'],
      ['//config//x%0d%0a?a=b', '/config/x%0D%0A?a=b'],
    ]
    for (const [path, location] of redirects) {
      const answer = await http.get(path)
      assert.deepEqual([answer.status, answer.headers.location], [301, location])
    }
    const put = await http.request('PUT', '/config/log_level/', { body: 'info' })
    assert.deepEqual([put.status, put.headers.location], [308, '/config/log_level'])
    assertError(await http.post('/config/log_level/'), 404, 'NOT_FOUND')
    assertError(await http.get('/Config/'), 404, 'NOT_FOUND')
  })

  it('redirects other methods so that they stay what they are', async () => {
    const answer = await http.post('/Topic/create/?topic=t', 'x')
    assert.deepEqual([answer.status, answer.headers.location, answer.text], [308, '/topic/create?topic=t', ''])
    assert.equal(http.broker.topics.size, 0)
  })

  it('does not redirect to a path that has not the method', async () => {
    assertError(await http.post('/ping/'), 404, 'NOT_FOUND')
    assertError(await http.request('OPTIONS', '/ping/'), 404, 'NOT_FOUND')
  })

  it('reads percent escapes in the path', async () => {
    assert.equal((await http.get('/p%69ng')).text, 'OK')
    assert.equal((await http.get('/p%zzng')).status, 400)
  })

  it('takes the address of a proxy request for its path', async () => {
    const answer = await exchangeRaw(
      http.port,
      'GET http://elsewhere/ping HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1.1 200 OK\r\n.*OK$/s)
  })

  it('answers OPTIONS * for the server itself', async () => {
    const answer = await exchangeRaw(http.port, 'OPTIONS * HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n')
    assert.match(answer, /^HTTP\/1.1 200 OK\r\n/)
  })

  it('answers 500 when a handler crashes, logs it, and goes on', async () => {
    const { broker } = http
    broker.stats = () => {
      throw new TypeError('a bug')
    }
    assertError(await http.get('/stats'), 500, 'INTERNAL_ERROR')
    assert.match(String(broker.logger.lines.at(-1)?.fields.error), /TypeError: a bug/)
    assert.equal((await http.get('/ping')).text, 'OK')
  })
})
