import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { constants, gunzipSync } from 'node:zlib'
import { eventually } from '../support/eventually.js'
import { filesIn } from '../support/files-in.js'
import { LIMIT_MS, numbered, ToolSuite } from './tool-suite.js'

const CHANNEL = 'nsq_to_file'
const NAME = ['--filename-format=<TOPIC><REV>.log', '--log-level=warn']

describe('nsq_to_file', () => {
  const suite = new ToolSuite('nsq_to_file')
  const servers: Server[] = []
  afterEach(() => {
    for (const server of servers.splice(0)) server.close()
  })

  const into = (folder = 'out'): string => `--output-dir=${join(suite.folder, folder)}`

  const files = (folder = 'out') => filesIn(join(suite.folder, folder))

  const linesOf = (texts: Record<string, string>): string[] =>
    Object.values(texts).flatMap((text) => text.split('\n').slice(0, -1))

  it('writes each message on a line, and finishes it once it is on the disk', async () => {
    await suite.publish('plain', numbered(1_000))
    const writer = suite.start(
      suite.direct,
      '--topic=plain',
      into(),
      '--max-in-flight=100',
      '--sync-interval=50ms',
      ...NAME,
    )
    await suite.finished('plain', CHANNEL, 1_000)
    assert.deepEqual(await writer.stop(), { code: 0, signal: null })
    assert.deepEqual(await files(), {
      'plain.log': numbered(1_000)
        .map((line) => `${line}\n`)
        .join(''),
    })
    assert.deepEqual([writer.stdout, writer.stderr], ['', ''])
  })

  it('at SIGTERM writes and finishes what is here, and leaves the rest', async () => {
    await suite.publish('stopped', numbered(1_000))
    const flags = [suite.direct, '--topic=stopped', into(), '--max-in-flight=1000', '--sync-interval=1h', ...NAME]
    // Starved at 850: the other 150 would wait for an hour.
    const writer = suite.start(...flags)
    await suite.finished('stopped', CHANNEL, 850)
    assert.deepEqual(await writer.stop(), { code: 0, signal: null })
    const { finished, inFlight } = await suite.counts('stopped', CHANNEL)
    assert.equal(inFlight, 0)
    assert.equal(linesOf(await files()).length, finished)
  })

  it('continues a file, and rotates by size, across runs', async () => {
    const flags = [suite.direct, '--topic=sized', into(), '--rotate-size=100', '--sync-interval=20ms', ...NAME]
    for (const [from, count] of [
      [0, 9],
      [9, 15],
    ]) {
      await suite.publish('sized', numbered(15).slice(from, count))
      const writer = suite.start(...flags)
      await suite.finished('sized', CHANNEL, count)
      assert.deepEqual(await writer.stop(), { code: 0, signal: null })
    }
    const texts = await files()
    assert.deepEqual(linesOf(texts), numbered(15))
    // 10 bytes a line: the eleventh makes it full.
    assert.deepEqual(Object.keys(texts), ['sized-000000.log', 'sized-000001.log'])
  })

  it('moves a finished file at SIGHUP, and goes on with the next', async () => {
    const work = `--work-dir=${join(suite.folder, 'work')}`
    const flags = [
      suite.direct,
      '--topic=hup',
      into(),
      work,
      '--gzip',
      '--sync-interval=20ms',
      '--skip-empty-files',
      ...NAME,
    ]
    const writer = suite.start(...flags)
    for (const [index, body] of ['a', 'b'].entries()) {
      await suite.publish('hup', [body])
      await suite.finished('hup', CHANNEL, index + 1)
      writer.signal('SIGHUP')
      await eventually(
        async () => (Object.keys(await files()).length === index + 1 ? true : undefined),
        LIMIT_MS,
        'the finished file',
      )
    }
    await suite.publish('hup', ['c'])
    await suite.finished('hup', CHANNEL, 3)
    assert.deepEqual(await writer.stop(), { code: 0, signal: null })
    assert.deepEqual(await files(), {
      'hup-000000.log.gz': 'a\n',
      'hup-000001.log.gz': 'b\n',
      'hup-000002.log.gz': 'c\n',
    })
    assert.deepEqual(await files('work'), {})
  })

  it('loses nothing that it has finished when it is killed, and writes the rest later', async () => {
    const bodies = numbered(2_000)
    const killed = async (topic: string, ...more: string[]): Promise<void> => {
      await suite.publish(topic, bodies)
      const shared = [suite.direct, `--topic=${topic}`, into(topic), '--consumer-opt=msg_timeout,1s', ...NAME, ...more]
      const first = suite.start(...shared, '--max-in-flight=20')
      await suite.finished(topic, CHANNEL, 100)
      await first.stop('SIGKILL')
      const { finished } = await suite.counts(topic, CHANNEL)
      const before = await Promise.all(
        (await readdir(join(suite.folder, topic))).map((name) => readFile(join(suite.folder, topic, name))),
      )
      const text = more.includes('--gzip') ? readableGzip(Buffer.concat(before)) : Buffer.concat(before).toString()
      const written = new Set(text.split('\n'))
      assert.ok(finished < bodies.length, 'killed in the middle')
      assert.ok(bodies.filter((body) => written.has(body)).length >= finished, 'what is finished is in the files')

      const second = suite.start(...shared, '--max-in-flight=1000', '--sync-interval=50ms')
      await suite.finished(topic, CHANNEL, bodies.length)
      assert.deepEqual(await second.stop(), { code: 0, signal: null })
      const lines = new Set<string>()
      for (const name of await readdir(join(suite.folder, topic))) {
        const bytes = await readFile(join(suite.folder, topic, name))
        for (const line of (name.endsWith('.gz') ? readableGzip(bytes) : bytes.toString()).split('\n')) lines.add(line)
      }
      assert.deepEqual(
        bodies.filter((body) => !lines.has(body)),
        [],
      )
    }
    await Promise.all([killed('killed-plain'), killed('killed-gzip', '--gzip')])
  })

  it('writes the topics that nsqlookupd knows and that match, also those that come later, but for what can be no file', async () => {
    const topics = ['..', 'orders of', 'orders.a', 'invoices']
    const { tcpPort, tcpAddress } = suite.broker
    const lookupd = createServer((request, response) => {
      const producer = { broadcast_address: tcpAddress.split(':')[0], tcp_port: tcpPort }
      response.end(JSON.stringify(request.url?.startsWith('/topics') ? { topics } : { producers: [producer] }))
    }).listen(0, '127.0.0.1')
    servers.push(lookupd)
    await once(lookupd, 'listening')
    const flags = [
      `--lookupd-http-address=127.0.0.1:${(lookupd.address() as AddressInfo).port}`,
      '--topic-pattern=^orders|^[.]',
      '--topic-refresh=20ms',
      '--sync-interval=20ms',
    ]
    for (const topic of ['..', 'orders.a', 'orders.b', 'invoices']) await suite.publish(topic, [topic])
    const writer = suite.start(...flags, into(), '--filename-format=<TOPIC>/x.log', '--log-level=warn')
    await suite.finished('orders.a', CHANNEL, 1)
    topics.push('orders.b')
    await suite.finished('orders.b', CHANNEL, 1)
    assert.deepEqual(await writer.stop(), { code: 0, signal: null })
    assert.deepEqual(await files(), { 'orders.a/x.log': 'orders.a\n', 'orders.b/x.log': 'orders.b\n' })
    const leftOut = writer.stderr.split('\n').map((line) => line.split('left out: ')[1])
    assert.deepEqual(leftOut, [
      'topic .. would be another folder in --filename-format',
      '"orders of" is no topic\'s name',
      undefined,
    ])
    assert.deepEqual(await readdir(suite.folder), ['out'])
  })

  it('ends with 1 when it cannot write, and finishes nothing', async () => {
    await suite.publish('unwritable', ['a'])
    const writer = suite.start(
      suite.direct,
      '--topic=unwritable',
      '--output-dir=/dev',
      '--filename-format=full',
      '--log-level=warn',
    )
    assert.deepEqual(await writer.exited, { code: 1, signal: null })
    assert.match(
      writer.stderr,
      /^\[nsq_to_file\] \S+ \S+ FATAL: \[unwritable\/nsq_to_file\] cannot write to \/dev\/full: ENOSPC: no space left on device\n$/,
    )
    assert.equal((await suite.counts('unwritable', CHANNEL)).finished, 0)
  })
})

/** What can be read of a file that ends in the middle of a member, as `gzip -dc` does. */
function readableGzip(bytes: Buffer): string {
  return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
}
