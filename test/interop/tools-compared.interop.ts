import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { filesIn } from '../support/files-in.js'
import { OurPrograms } from '../support/our-programs.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import type { SuitePrograms } from '../support/suite-programs.js'
import { settled } from './channel-waits.js'
import { NsqPrograms } from './nsq-programs.js'
import { publishAll } from './nsqjs-client.js'

const MESSAGE_COUNT = 500

/** The original's and ours get the same messages with the same flags, and are to do the same. */
describe('our tools and the original ones', () => {
  const programs = new NsqPrograms('our tools and the original ones')
  const ours = new OurPrograms()
  const by: Record<'original' | 'ours', SuitePrograms<'nsq_to_file' | 'nsq_tail'>> = { original: programs, ours }
  let broker: RunningBroker | undefined
  let folder = ''

  before(async function () {
    await programs.prepare(this)
    broker = await startBroker()
  })
  after(() => broker?.stop())
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spillway-compared-'))
  })
  afterEach(async () => {
    programs.killForgotten()
    ours.killForgotten()
    await rm(folder, { recursive: true })
  })

  const everyToken = '%B %b %m %A %a %d %H %I %Y %y %p %Z %z %% %q'
  const cases: [string, (out: string) => string[]][] = [
    ['plain', () => []],
    ['size', () => ['--rotate-size=2000']],
    ['gzip', () => ['--gzip', '--gzip-level=9']],
    ['gzip-size', () => ['--gzip', '--rotate-size=5000', '--filename-format=<TOPIC><REV>.gz']],
    ['interval', () => ['--rotate-interval=1h']],
    ['work', (out) => [`--work-dir=${out}-work`, '--rotate-size=3000']],
    ['tokens', () => [`--datetime-format=${everyToken}`]],
    ['names', () => ['--filename-format=<TOPIC>/<DATETIME>/<HOST>.log', '--host-identifier=<SHORT_HOST>-<HOSTNAME>-x']],
    ['skip', () => ['--skip-empty-files']],
  ]
  for (const [name, more] of cases) {
    it(`nsq_to_file: the same files with the same in them (${name})`, async () => {
      assert.ok(broker)
      const topic = `compared-${name}`
      await publishForBoth(broker, topic)
      const files: Record<string, Record<string, string>> = {}
      for (const kind of ['original', 'ours'] as const) {
        const out = join(folder, kind)
        const flags = [
          `--nsqd-tcp-address=${broker.tcpAddress}`,
          `--topic=${topic}`,
          `--channel=${kind}`,
          `--output-dir=${out}`,
          '--max-in-flight=50',
          '--sync-interval=50ms',
        ]
        files[kind] = await written(topic, kind, out, [...flags, ...more(out)])
      }
      assert.ok(Object.keys(files.original).length > 0)
      assert.deepEqual(files.ours, files.original)
    })
  }

  async function written(topic: string, kind: 'original' | 'ours', out: string, flags: readonly string[]) {
    assert.ok(broker)
    const writer = by[kind].start('nsq_to_file', flags)
    await settled(broker, topic, kind)
    assert.deepEqual(await writer.stop(), { code: 0, signal: null }, writer.stderr)
    return filesIn(out)
  }

  it('nsq_tail: the same lines', async () => {
    assert.ok(broker)
    const topic = 'compared-tail'
    await publishForBoth(broker, topic)
    const printed: string[] = []
    for (const kind of ['original', 'ours'] as const) {
      const flags = [`--nsqd-tcp-address=${broker.tcpAddress}`, `--topic=${topic}`, `--channel=${kind}`]
      const tail = by[kind].start('nsq_tail', [...flags, '--print-topic', `-n=${MESSAGE_COUNT}`])
      assert.deepEqual(await tail.exited, { code: 0, signal: null }, tail.stderr)
      printed.push(tail.stdout)
    }
    assert.equal(printed[1], printed[0])
  })
})

/** Both channels are there before the first message: a later one would not get it. */
async function publishForBoth(broker: RunningBroker, topic: string): Promise<void> {
  await broker.http.post(`/topic/create?topic=${topic}`)
  for (const kind of ['original', 'ours']) await broker.http.post(`/channel/create?topic=${topic}&channel=${kind}`)
  await publishAll(broker, topic, MESSAGE_COUNT)
}
