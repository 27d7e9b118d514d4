import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Message, Reader } from 'nsqjs'
import { eventually } from '../support/eventually.js'
import { HttpClient } from '../support/http-client.js'
import { lastingPorts } from '../support/lasting-ports.js'
import { Program } from '../support/program.js'
import { within } from '../support/within.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const START_LIMIT_MS = 60_000

/** The README's first steps, on ports of our own. The executables are the ones that `npm ci` links. */
describe('quick start', () => {
  let program: Program
  let directory: string
  let tcpPort: number
  let httpPort: number

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'spillway-test-'))
  })
  after(() => rm(directory, { recursive: true, force: true }))

  beforeEach(async () => {
    ;[tcpPort = 0, httpPort = 0] = await lastingPorts(2)
  })
  afterEach(async () => {
    if (program.exit === undefined) await program.stop()
  })

  it('nsqd: what curl publishes, an nsqjs reader receives', async () => {
    program = executable('nsqd', [
      `--tcp-address=127.0.0.1:${tcpPort}`,
      '--http-address',
      `127.0.0.1:${httpPort}`,
      '-msg-timeout=30s',
      `--data-path=${directory}`,
    ])
    await publishAndReceive()
  })

  it('spillway start: what curl publishes, an nsqjs reader receives', async () => {
    program = executable('spillway', ['start', '--config', 'config/development.json'])
    await publishAndReceive()
  })

  it('spillway check: finds the shipped configurations good', async () => {
    for (const config of ['config/default.json', 'config/development.json']) {
      program = executable('spillway', ['check', '--config', config])
      assert.deepEqual(await within(program.exited, START_LIMIT_MS, 'the check'), { code: 0, signal: null })
      assert.equal(program.stdout, `${config}: ok\n`)
      assert.equal(program.stderr, '')
    }
  })

  function executable(name: string, args: readonly string[]): Program {
    const env = { TCP_PORT: `${tcpPort}`, HTTP_PORT: `${httpPort}` }
    return new Program({ command: `${ROOT}node_modules/.bin/${name}`, args, cwd: ROOT, env })
  }

  async function publishAndReceive(): Promise<void> {
    const http = new HttpClient({ host: '127.0.0.1', port: httpPort })
    await eventually(
      async () => {
        program.assertRunning()
        return http.get('/ping')
      },
      START_LIMIT_MS,
      'an answer to /ping',
    )
    assert.deepEqual(await http.post('/pub?topic=test', 'hello'), { status: 200, text: 'OK' })

    const reader = new Reader('test', 'channel', { nsqdTCPAddresses: [`127.0.0.1:${tcpPort}`] })
    const received = once(reader, 'message')
    reader.connect()
    try {
      const [message] = (await within(received, START_LIMIT_MS, 'the message')) as [Message]
      assert.equal(message.body.toString(), 'hello')
      message.finish()
      await eventually(
        async () => ((await http.channelStats('test', 'channel'))?.in_flight_count === 0 ? true : undefined),
        START_LIMIT_MS,
        'the message finished',
      )
    } finally {
      reader.close()
    }
  }
})
