import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { HttpSender, type HttpSenderOptions } from '../../../src/tools/nsq-to-http/http-sender.js'

describe('requests of nsq_to_http', () => {
  let server: Server
  let url: URL
  let sender: HttpSender
  let connectionCount: number
  let answer: (request: IncomingMessage, response: ServerResponse) => void

  beforeEach(async () => {
    connectionCount = 0
    answer = (_request, response) => response.end()
    server = createServer((request, response) => answer(request, response))
    server.on('connection', () => connectionCount++)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path`)
    sender = open({})
  })
  afterEach(() => {
    sender.close()
    server.closeAllConnections()
    server.close()
  })

  function open(options: Partial<HttpSenderOptions>): HttpSender {
    return new HttpSender({ connectTimeoutMs: 2_000, requestTimeoutMs: 5_000, connectionsMax: 10, ...options })
  }

  const post = (body = 'x') => sender.send({ method: 'POST', url, headers: { a: 'b' }, body: Buffer.from(body) })

  it('carry body and headers, and say what came back', async () => {
    let seen: unknown
    answer = async (request, response) => {
      seen = [request.method, request.url, request.headers.a, request.headers['content-length'], await text(request)]
      response.writeHead(302, { location: '/there' }).end('ignored')
    }
    assert.deepEqual(await post('body'), { status: 302, location: '/there' })
    assert.deepEqual(seen, ['POST', '/path', 'b', '4', 'body'])
  })

  it('keep their connection', async () => {
    for (let count = 0; count < 5; count++) await post()
    assert.equal(connectionCount, 1)
  })

  it('go again, on another connection, when the server has closed the one that was kept', async () => {
    await post()
    let requestCount = 0
    answer = (request, response) => {
      if (++requestCount === 1) request.socket.destroy()
      else response.end()
    }
    assert.equal((await post()).status, 200)
    assert.equal(connectionCount, 2)
  })

  it('go again also when all that were kept are closed', async () => {
    const waiting: ServerResponse[] = []
    answer = (_request, response) => {
      waiting.push(response)
      if (waiting.length === 2) for (const each of waiting) each.end()
    }
    await Promise.all([post(), post()])
    const kept = new Set(waiting.map(({ req }) => req.socket.remotePort))
    answer = (request, response) => {
      if (kept.has(request.socket.remotePort)) request.socket.destroy()
      else response.end()
    }
    assert.equal((await post()).status, 200)
  })

  it('fail when nobody listens, and say why', async () => {
    const nowhere = new URL('http://127.0.0.1:1/')
    const request = { method: 'GET', url: nowhere, headers: {}, body: Buffer.alloc(0) } as const
    await assert.rejects(sender.send(request), { message: /ECONNREFUSED/ })
  })

  it('fail when the server goes over to another protocol', async () => {
    answer = (request) =>
      void request.socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n')
    await assert.rejects(post(), { message: 'the connection ended without an answer' })
  })

  it('fail when the answer, or its end, does not come in time', async () => {
    sender = open({ requestTimeoutMs: 50 })
    answer = () => {}
    await assert.rejects(post(), { message: 'no answer within 50 ms' })
    answer = (_request, response) => void response.write('begun')
    await assert.rejects(post(), { message: 'no answer within 50 ms' })
  })

  it('use no more connections at once than they may', async () => {
    sender = open({ connectionsMax: 2 })
    answer = (_request, response) => setImmediate(() => response.end())
    await Promise.all(Array.from({ length: 10 }, () => post()))
    assert.equal(connectionCount, 2)
  })
})
