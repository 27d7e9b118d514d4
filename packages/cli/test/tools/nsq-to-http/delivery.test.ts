import assert from 'node:assert/strict'
import { getting, posting } from '../../../src/tools/nsq-to-http/delivery.js'
import { parseHeaders } from '../../../src/tools/nsq-to-http/headers.js'
import type { HttpRequest } from '../../../src/tools/nsq-to-http/http-sender.js'

function senderWith(status: number, location = '') {
  const requests: HttpRequest[] = []
  const send = async (request: HttpRequest) => {
    requests.push(request)
    return { status, location }
  }
  return { requests, send }
}

describe('nsq_to_http delivers', () => {
  it('by POST: the message as it is, and any 2xx accepts it', async () => {
    const sender = senderWith(201)
    const body = Buffer.from([0, 255, 10])
    await posting('http://h/p?x=%s', { 'content-type': 'a/b' }, sender)(body)
    const [{ method, url, headers, body: sent }] = sender.requests
    assert.deepEqual([method, url.href, headers, sent], ['POST', 'http://h/p?x=%s', { 'content-type': 'a/b' }, body])
    for (const status of [199, 300, 404, 500]) {
      await assert.rejects(posting('http://h/', {}, senderWith(status))(body), { message: `got status code ${status}` })
    }
  })

  it('by GET: every byte escaped in place of %s, and only 200 accepts it', async () => {
    const sender = senderWith(200)
    await getting('http://h/a%20b?x=%s&y=1', {}, sender)(Buffer.from('a b/ü&+%~-_.Z9'))
    assert.equal(sender.requests[0].url.href, 'http://h/a%20b?x=a+b%2F%C3%BC%26%2B%25~-_.Z9&y=1')
    await getting('http://h/%s', {}, sender)(Buffer.from([0xff, 0x00, 0x0a]))
    assert.equal(sender.requests[1].url.href, 'http://h/%FF%00%0A')
    await assert.rejects(getting('http://h/%s', {}, senderWith(201))(Buffer.from('x')), {
      message: 'got status code 201',
    })
  })

  it('to where it was sent and not where it is redirected', async () => {
    await assert.rejects(posting('http://h/', {}, senderWith(302, 'http://elsewhere/'))(Buffer.from('x')), {
      message: 'got status code 302, a redirect to http://elsewhere/, which is not followed',
    })
  })

  it('to addresses that can be used only', () => {
    const sender = senderWith(200)
    const rule = { message: 'invalid GET address - must be a printf string' }
    assert.throws(() => getting('http://h/', {}, sender), rule)
    assert.throws(() => getting('http://h/%s%s', {}, sender), rule)
    assert.throws(() => posting('h:80/x', {}, sender), { message: '"h:80/x" is no http:// or https:// address' })
    assert.throws(() => posting('nowhere', {}, sender), { message: '"nowhere" is no http:// or https:// address' })
  })
})

describe("nsq_to_http's headers", () => {
  it('are a name, a colon and a value', () => {
    assert.deepEqual(parseHeaders(['X-A: b:c ', 'accept:d', 'Accept: e']), { 'x-a': 'b:c', accept: 'e' })
  })

  it('are refused otherwise', () => {
    for (const text of ['a=b', ': b', 'a:', 'a b: c', 'a: b\nc', '']) {
      assert.throws(() => parseHeaders([text]), { message: /^--header "/ }, text)
    }
  })
})
