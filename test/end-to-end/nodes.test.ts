import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../support/eventually.js'
import { HttpClient } from '../support/http-client.js'
import { lastingPorts, lastingPortsApart } from '../support/lasting-ports.js'
import { Program } from '../support/program.js'
import { RawClient } from '../support/raw-client.js'
import { SPILLWAY } from '../support/spillway-broker.js'
import { startNsqlookupd } from '../support/start-nsqlookupd.js'
import { within } from '../support/within.js'

const HOST = '127.0.0.1'
const LIMIT_MS = 20_000
/** Each test starts three processes or more, which takes its time on a busy machine. */
const TEST_MS_MAX = 60_000
const STEP = 100
const ON_DISK = { use: '@spillway/storage-rocksdb', options: { freeDiskBytesMin: 0, ballastSizeBytes: 0 } }

/** `spillway start --nodes 2`. */
describe('several nodes on one machine', function () {
  this.timeout(TEST_MS_MAX)
  let directory: string
  let program: Program
  let tcpPort: number
  let httpPort: number

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'spillway-test-'))
    ;[tcpPort = 0, httpPort = 0] = await lastingPortsApart(2, [0, STEP])
  })
  afterEach(async () => {
    if (program.exit === undefined) program.signal('SIGTERM')
    await within(program.exited, LIMIT_MS, 'the end').catch(() => program.signal('SIGKILL'))
    await rm(directory, { recursive: true, force: true })
  })

  interface Setup {
    readonly storage?: object
    readonly transports?: readonly object[]
    readonly discovery?: readonly object[]
    readonly logFormat?: 'text' | 'json'
  }

  async function launch({ storage, transports, discovery = [], logFormat = 'text' }: Setup = {}): Promise<void> {
    const config = {
      node: { dataPath: './data', broadcastAddress: HOST },
      discovery,
      storage: storage ?? { use: '@spillway/storage-memory' },
      transports: transports ?? [
        { use: '@spillway/transport-tcp', options: { address: `${HOST}:${tcpPort}` } },
        { use: '@spillway/transport-http', options: { address: `${HOST}:${httpPort}` } },
      ],
    }
    const path = join(directory, 'spillway.json')
    await writeFile(path, JSON.stringify(config))
    const args = [SPILLWAY, 'start', '--nodes', '2', '--config', path, `--log-format=${logFormat}`]
    program = new Program({ command: process.execPath, args })
  }

  /** The HTTP side of a node, by number. */
  const http = (number: number) => new HttpClient({ host: HOST, port: httpPort + (number - 1) * STEP })

  const answers = (number: number) =>
    eventually(
      async () => {
        program.assertRunning()
        return (await http(number).get('/ping')).text === 'OK' ? true : undefined
      },
      LIMIT_MS,
      `node ${number} answers`,
    )

  const says = (pattern: RegExp) =>
    eventually(
      () => {
        const match = pattern.exec(program.stderr)
        if (match === null) program.assertRunning()
        return match ?? undefined
      },
      LIMIT_MS,
      `${pattern}`,
    )

  /** The process of a node, as the log told it last. */
  function pidOf(number: number): number {
    const pids = [...program.stderr.matchAll(new RegExp(`node-${number} started pid=(\\d+)`, 'g'))]
    return Number(pids.at(-1)?.[1])
  }

  const isGone = (pid: number) => (): true | undefined => {
    try {
      process.kill(pid, 0)
      return undefined
    } catch {
      return true
    }
  }

  it('one that is killed comes back with its messages while the other goes on, and so does one that is told to stop; SIGTERM ends all with 0', async () => {
    await launch({ storage: ON_DISK })
    await Promise.all([answers(1), answers(2)])
    await says(/all nodes are listening: 2/)
    const producer = await RawClient.connect({ host: HOST, port: tcpPort + STEP })
    assert.equal(await producer.ask('PUB jobs', 'of node 2'), 'OK')
    const killed = pidOf(2)
    process.kill(killed, 'SIGKILL')
    await says(/node-2 ended \(SIGKILL\): starts again in 0.1 s/)
    assert.deepEqual(await http(1).post('/pub?topic=jobs', 'of node 1'), { status: 200, text: 'OK' })
    await answers(2)

    assert.notEqual(pidOf(2), killed)
    const consumer = await RawClient.connect({ host: HOST, port: tcpPort + STEP })
    assert.equal(await consumer.ask('SUB jobs work'), 'OK')
    consumer.send('RDY 1')
    assert.equal((await consumer.message()).body.toString(), 'of node 2')

    const toldToStop = pidOf(1)
    process.kill(toldToStop, 'SIGTERM')
    await says(/node-1 ended \(exit code 0\)/)
    await eventually(() => (pidOf(1) === toldToStop ? undefined : true), LIMIT_MS, 'another start of node 1')
    await answers(1)
    assert.deepEqual(await program.stop('SIGTERM', LIMIT_MS), { code: 0, signal: null })
    for (const number of [1, 2]) {
      assert.match(program.stderr, new RegExp(`^\\[node-${number}\\] .* SIGTERM: stopping$`, 'm'))
    }
    assert.match(program.stderr, /^\[supervisor\] .* all nodes have stopped$/m)
  })

  it('are found through one nsqlookupd, each with its own ports', async () => {
    const lookupd = await startNsqlookupd()
    try {
      const options = { tcpAddresses: [lookupd.tcpAddress] }
      await launch({ discovery: [{ use: '@spillway/discovery-nsqlookupd', options }] })
      await says(/all nodes are listening/)
      for (const number of [1, 2]) assert.equal((await http(number).post('/pub?topic=jobs', 'x')).status, 200)
      const producers = await eventually(
        async () => {
          const { status, text } = await lookupd.http.get('/lookup?topic=jobs')
          const found = status === 200 ? JSON.parse(text).producers : []
          return found.length === 2 ? found : undefined
        },
        LIMIT_MS,
        'two nodes with the topic',
      )
      const ports = producers.map((one: { tcp_port: number; http_port: number }) => [one.tcp_port, one.http_port])
      assert.deepEqual(
        ports.toSorted(([a = 0]: number[], [b = 0]: number[]) => a - b),
        [
          [tcpPort, httpPort],
          [tcpPort + STEP, httpPort + STEP],
        ],
      )
      // They go on, and stop in order, also when whoever read their log has gone.
      program.leaveErrorsUnread()
      program.signal('SIGHUP')
      assert.deepEqual(await program.stop('SIGTERM', LIMIT_MS), { code: 0, signal: null })
    } finally {
      await lookupd.stop()
    }
  })

  it('none is left when the supervisor is killed', async () => {
    await launch()
    await says(/all nodes are listening/)
    const pids = [pidOf(1), pidOf(2)]
    program.signal('SIGKILL')
    await program.exited
    for (const pid of pids) await eventually(isGone(pid), LIMIT_MS, 'the end of a node')
  })

  it('has one log, in JSON with the node as a field; SIGHUP reaches every node', async () => {
    await launch({ logFormat: 'json' })
    await says(/all nodes are listening/)
    program.signal('SIGHUP')
    await says(/"node":"node-1"[^\n]*SIGHUP: reloading/)
    await says(/"node":"node-2"[^\n]*SIGHUP: reloading/)
    await program.stop('SIGINT', LIMIT_MS)
    const lines = program.stderr
      .trimEnd()
      .split('\n')
      .map((line): { node?: string; msg: string } => JSON.parse(line))
    assert.deepEqual(
      ['node-1', 'node-2', undefined].map((name) => lines.filter(({ node }) => node === name).at(-1)?.msg),
      ['stopped', 'stopped', 'all nodes have stopped'],
    )
  })

  it('ends with 1 and the reason when a node cannot start, and leaves none running', async () => {
    const taken = createServer().listen(tcpPort + STEP, HOST)
    await new Promise((resolve) => taken.once('listening', resolve))
    try {
      await launch()
      assert.deepEqual(await within(program.exited, LIMIT_MS, 'the end'), { code: 1, signal: null })
    } finally {
      taken.close()
    }
    const address = `${HOST}:${tcpPort + STEP}`
    assert.match(program.stderr, new RegExp(`^\\[node-2\\] .*FATAL: listen \\(${address}\\) failed`, 'm'))
    assert.match(program.stderr, /^\[supervisor\] .*FATAL: node-2 did not start \(exit code 1\): stopping$/m)
    assert.ok(isGone(pidOf(1))())
  })

  it('says what is wrong before it starts any', async () => {
    const [port = 0] = await lastingPorts(1)
    await launch({
      transports: [
        { use: '@spillway/transport-tcp', options: { address: `${HOST}:${port}` } },
        { use: '@spillway/transport-http', options: { address: `${HOST}:${port + STEP}` } },
      ],
    })
    assert.deepEqual(await within(program.exited, LIMIT_MS, 'the end'), { code: 1, signal: null })
    assert.match(program.stderr, /^spillway: E_CONFIG .*for node-2, expected another than node-1 has for .*\n$/)
  })
})
