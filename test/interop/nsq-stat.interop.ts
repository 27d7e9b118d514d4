import assert from 'node:assert/strict'
import { OurPrograms } from '../support/our-programs.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { allReady, settled } from './channel-waits.js'
import { COUNTED, countedChannel } from './counted-channel.js'
import { NsqPrograms } from './nsq-programs.js'
import { linesOf, plannedLines } from './published-lines.js'

const LIMIT_MS = 10_000

for (const isOurs of [false, true]) {
  describe(isOurs ? 'nsq_stat, ours' : 'nsq_stat', () => {
    const originals = new NsqPrograms('nsq_stat')
    const programs = isOurs ? new OurPrograms() : originals
    let broker: RunningBroker | undefined

    before(async function () {
      await originals.prepare(this)
      // It asks each node for its name, and goes on under that.
      broker = await startBroker({ flags: ['--broadcast-address=127.0.0.1'] })
    })
    afterEach(() => {
      originals.killForgotten()
      programs.killForgotten()
    })
    after(() => broker?.stop())

    function flagsFor({ httpAddress }: RunningBroker, topic: string, channel: string, ...more: string[]): string[] {
      return [`--nsqd-http-address=${httpAddress}`, `--topic=${topic}`, `--channel=${channel}`, ...more]
    }

    it('prints what the broker counts: waiting, in flight, deferred, requeued, all, and clients', async () => {
      assert.ok(broker)
      const client = await countedChannel(broker, 'counted')
      const stat = await programs.run('nsq_stat', flagsFor(broker, 'counted', 'c', '--interval=50ms', '--count=1'))
      client.close()
      const [groups, names, row, ...more] = linesOf(stat.stdout)
      assert.match(groups, /^-+rate-+\+-+depth-+\+-+metadata-+$/)
      assert.deepEqual(more, [])
      assert.deepEqual(named(names, row), {
        ingress: 0,
        egress: 0,
        total: COUNTED.depth,
        mem: COUNTED.depth,
        disk: 0,
        inflt: COUNTED.inFlight,
        def: COUNTED.deferred,
        req: COUNTED.requeued,
        't-o': COUNTED.timedOut,
        msgs: COUNTED.messages,
        clients: COUNTED.clients,
      })
    })

    it('prints how many come in and go out', async () => {
      assert.ok(broker)
      const tail = originals.start('nsq_tail', [
        `--nsqd-tcp-address=${broker.tcpAddress}`,
        '--topic=busy',
        '--channel=c',
      ])
      await allReady(broker, 'busy', 'c', 1)
      const stat = programs.start('nsq_stat', flagsFor(broker, 'busy', 'c', '--interval=250ms', '--count=5'))
      // From its first look on, whose numbers it does not print.
      await stat.line('-', LIMIT_MS)
      await broker.http.post('/mpub?topic=busy', plannedLines(100))
      await settled(broker, 'busy', 'c')
      assert.deepEqual(await stat.exited, { code: 0, signal: null }, stat.stderr)
      await tail.stop()

      const [, names, ...rows] = linesOf(stat.stdout)
      const counts = rows.map((row) => named(names, row))
      assert.equal(counts.length, 5)
      const perSecond = (name: string): number => counts.reduce((sum, { [name]: count }) => sum + (count as number), 0)
      assert.deepEqual([perSecond('ingress') / 4, perSecond('egress') / 4], [100, 100])
      assert.equal(counts.at(-1)?.msgs, 100)
    })

    it('says which channel or topic the broker does not have', async () => {
      assert.ok(broker)
      await broker.http.post('/channel/create?topic=known&channel=known')
      await broker.http.post('/topic/create?topic=known')
      const missing = programs.start('nsq_stat', flagsFor(broker, 'known', 'unknown'))
      assert.deepEqual(await missing.exited, { code: 1, signal: null })
      assert.match(missing.stderr, /failed to find channel\(unknown\) in stats metadata for topic\(known\)/)
      const nowhere = programs.start('nsq_stat', flagsFor(broker, 'unknown', 'unknown'))
      assert.deepEqual(await nowhere.exited, { code: 1, signal: null })
      assert.match(nowhere.stderr, /failed to get nsqd stats/)
    })
  })
}

/** A row of the table, by the names above it. */
function named(names: string, row: string): Record<string, number> {
  const columns = (line: string): string[] => line.replaceAll('|', ' ').trim().split(/ +/)
  const numbers = columns(row).map(Number)
  return Object.fromEntries(columns(names).map((name, index) => [name, numbers[index]]))
}
