import assert from 'node:assert/strict'
import { CertificateFiles } from '../support/certificate-files.js'
import { OurPrograms } from '../support/our-programs.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { goNsqOptions } from './go-nsq-options.js'
import { NsqPrograms } from './nsq-programs.js'
import { assertEachOnce, linesOf, plannedLines } from './published-lines.js'
import { CHANGED_STREAMS, PLAIN } from './ways.js'

for (const isOurs of [false, true]) {
  describe(isOurs ? 'to_nsq, ours' : 'to_nsq', () => {
    const originals = new NsqPrograms('to_nsq')
    const programs = isOurs ? new OurPrograms() : originals
    const certificates = new CertificateFiles()
    let broker: RunningBroker | undefined

    before(async function () {
      await originals.prepare(this)
      broker = await startBroker({ flags: await certificates.flags() })
    })
    afterEach(() => {
      originals.killForgotten()
      programs.killForgotten()
    })
    after(async () => {
      await broker?.stop()
      await certificates.remove()
    })

    for (const way of [PLAIN, ...CHANGED_STREAMS]) {
      it(`publishes each line that it reads, and nsq_tail prints it (${way.name})`, async () => {
        assert.ok(broker)
        const messageCount = 500
        const topic = `to-nsq-${way.name.replaceAll(' ', '-')}`
        const flags = [`--nsqd-tcp-address=${broker.tcpAddress}`, `--topic=${topic}`]
        const input = plannedLines(messageCount)
        await programs.run('to_nsq', [...flags, ...goNsqOptions('--producer-opt', way)], input)
        assert.equal((await broker.http.topicStats(topic))?.message_count, messageCount)

        const tailFlags = [...flags, '--channel=tail', `-n=${messageCount}`, ...goNsqOptions('--consumer-opt', way)]
        const tail = await originals.run('nsq_tail', tailFlags)
        assertEachOnce(linesOf(tail.stdout), messageCount)
      })
    }
  })
}
