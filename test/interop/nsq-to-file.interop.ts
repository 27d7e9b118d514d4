import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { CertificateFiles } from '../support/certificate-files.js'
import { eventually } from '../support/eventually.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { settled } from './channel-waits.js'
import { goNsqOptions } from './go-nsq-options.js'
import { NsqPrograms } from './nsq-programs.js'
import { publishAll } from './nsqjs-client.js'
import { assertEachOnce, linesOf } from './published-lines.js'
import { assertNegotiated, CHANGED_STREAMS, PLAIN, type Way } from './ways.js'

const CHANNEL = 'archive'
const LIMIT_MS = 10_000
const NOTHING = { message_count: 0, depth: 0, in_flight_count: 0 }

describe('nsq_to_file', () => {
  const programs = new NsqPrograms('nsq_to_file')
  const certificates = new CertificateFiles()
  let broker: RunningBroker | undefined
  let folder = ''

  before(async function () {
    await programs.prepare(this)
    broker = await startBroker({ flags: await certificates.flags() })
  })
  after(async () => {
    await broker?.stop()
    await certificates.remove()
  })
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spillway-to-file-'))
  })
  afterEach(async () => {
    programs.killForgotten()
    await rm(folder, { recursive: true })
  })

  /** It syncs its file when most of `max-in-flight` is there, and else by this short interval; only then it finishes. */
  function flagsFor(topic: string, way: Way, ...more: readonly string[]): string[] {
    const address = `--nsqd-tcp-address=${broker?.tcpAddress}`
    const options = goNsqOptions('--consumer-opt', way)
    return [address, `--topic=${topic}`, `--channel=${CHANNEL}`, `--output-dir=${folder}`, ...options, ...more]
  }

  /** The lines of its files: at the full hour, it begins another one. */
  async function linesWritten(): Promise<string[]> {
    const names = (await readdir(folder)).sort()
    const files = await Promise.all(names.map((name) => readFile(join(folder, name))))
    return files.flatMap((file, index) => linesOf((names[index].endsWith('.gz') ? gunzipSync(file) : file).toString()))
  }

  for (const way of [PLAIN, ...CHANGED_STREAMS]) {
    it(`writes each message of a topic once (${way.name})`, async () => {
      await writeAll(`to-file-${way.name.replaceAll(' ', '-')}`, way)
    })
  }

  it('writes each message of a topic once (gzip)', async () => {
    await writeAll('to-file-gzip', PLAIN, '--gzip')
    for (const name of await readdir(folder)) assert.match(name, /\.gz$/)
  })

  async function writeAll(topic: string, way: Way, ...more: readonly string[]): Promise<void> {
    assert.ok(broker)
    const messageCount = 3_000
    const flags = flagsFor(topic, way, '--max-in-flight=500', '--sync-interval=50ms', ...more)
    const writer = programs.start('nsq_to_file', flags)
    await assertNegotiated(broker, topic, CHANNEL, way)
    await publishAll(broker, topic, messageCount)
    const stats = await settled(broker, topic, CHANNEL)
    assert.deepEqual(await writer.stop(), { code: 0, signal: null })

    assertEachOnce(await linesWritten(), messageCount)
    assert.equal(stats.message_count, messageCount)
    assert.deepEqual([stats.requeue_count, stats.timeout_count], [0, 0])
  }

  it('finishes at SIGTERM what it has written, and another one writes exactly the rest', async () => {
    assert.ok(broker)
    const { http } = broker
    const messageCount = 20_000
    await publishAll(broker, 'handover', messageCount)
    // An fsync for every nine messages: it takes a while.
    const first = programs.start('nsq_to_file', flagsFor('handover', PLAIN, '--max-in-flight=10'))
    await eventually(
      async () => {
        const { message_count, depth, in_flight_count } = (await http.channelStats('handover', CHANNEL)) ?? NOTHING
        return message_count === messageCount && message_count - depth - in_flight_count > 500 ? true : undefined
      },
      LIMIT_MS,
      'the first 500 messages',
    )
    assert.deepEqual(await first.stop(), { code: 0, signal: null })
    const written = (await linesWritten()).length
    const stopped = await http.channelStats('handover', CHANNEL)
    assert.ok(written > 500 && written < messageCount, `it leaves something: ${written}`)
    assert.deepEqual([stopped?.depth, stopped?.in_flight_count], [messageCount - written, 0])

    const flags = flagsFor('handover', PLAIN, '--max-in-flight=2000', '--sync-interval=50ms')
    const second = programs.start('nsq_to_file', flags)
    const stats = await settled(broker, 'handover', CHANNEL)
    assert.deepEqual(await second.stop(), { code: 0, signal: null })
    assertEachOnce(await linesWritten(), messageCount)
    assert.deepEqual([stats.requeue_count, stats.timeout_count], [0, 0])
  })
})
