import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lastingPorts } from '../support/lasting-ports.js'
import { nsqdCommand } from '../support/nsqd-command.js'
import { Program } from '../support/program.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { within } from '../support/within.js'

const EXIT_LIMIT_MS = 60_000

describe('a broker whose address is taken', () => {
  let broker: RunningBroker
  let directory: string

  before(async () => {
    broker = await startBroker()
    directory = await mkdtemp(join(tmpdir(), 'spillway-test-'))
  })
  after(async () => {
    await broker.stop()
    await rm(directory, { recursive: true, force: true })
  })

  for (const taken of ['tcp', 'http'] as const) {
    it(`says so in one line and exits 1: ${taken}`, async () => {
      const [free = 0] = await lastingPorts(1)
      const tcp = taken === 'tcp' ? broker.tcpAddress : `127.0.0.1:${free}`
      const http = taken === 'http' ? broker.httpAddress : `127.0.0.1:${free}`
      const program = new Program(
        nsqdCommand([`--tcp-address=${tcp}`, `--http-address=${http}`, `--data-path=${directory}`]),
      )
      assert.deepEqual(await within(program.exited, EXIT_LIMIT_MS, 'the exit'), { code: 1, signal: null })

      const address = taken === 'tcp' ? tcp : http
      const complaints = program.stderr.split('\n').filter((line) => /ERROR|FATAL/.test(line))
      assert.equal(complaints.length, 1, program.stderr)
      assert.ok(complaints[0]?.includes(`listen (${address}) failed`), complaints[0])
      assert.doesNotMatch(program.stderr, /^\s+at /m, 'no stack trace')
    })
  }

  it('leaves the other one alone', async () => {
    assert.deepEqual(await broker.http.get('/ping'), { status: 200, text: 'OK' })
  })
})
