import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '@spillway/tls/testing'
import { spillway } from '../../src/spillway/main.js'
import { endPrograms, Program } from '../program.js'

/** A transport from outside the repository, which imports nothing of Spillway's. */
const TRANSPORT = `
import { createServer } from 'node:net'
import { once } from 'node:events'

export default {
  name: 'test-transport',
  apiVersion: 1,
  provides: Symbol.for('spillway.transport'),
  optionsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: { port: { type: 'integer', default: 0 }, drains: { type: 'boolean', default: true }, breaks: { type: 'boolean' } },
  },
  create({ port, drains, breaks }, { logger, onReload }) {
    const server = createServer()
    onReload(() => logger.info('read again'))
    onReload(() => { throw new Error('no such file') })
    return {
      addresses: [],
      async start() {
        server.listen(port, '127.0.0.1')
        await once(server, 'listening')
        this.addresses = [{ protocol: 'tcp', address: '127.0.0.1', port: server.address().port }]
        if (breaks) setTimeout(() => { throw new Error('an invariant') }, 1)
      },
      async drain() {
        logger.info('draining')
        if (!drains) await new Promise(() => {})
      },
      async stop() { server.close() },
    }
  },
}
`

let folder = ''

afterEach(endPrograms)

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-test-'))
  writeFileSync(join(folder, 'transport.mjs'), TRANSPORT)
})

after(() => rmSync(folder, { recursive: true, force: true }))

/** Writes a configuration with one listener, from a path beside it. */
function configWith(options: object): string {
  const path = join(folder, 'spillway.json')
  const transports = [{ use: './transport.mjs', options }]
  writeFileSync(path, JSON.stringify({ storage: { use: '@spillway/storage-memory' }, transports }))
  return path
}

const start = (options: object, ...args: string[]) =>
  new Program('spillway', ['start', '-c', configWith(options), ...args])

/** The messages of JSON log lines. */
const messagesOf = (program: Program): string[] => program.errorLines.map((line) => JSON.parse(line).msg)

/** Runs a command that ends by itself, in this process. */
async function finished(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const texts = { out: [] as string[], err: [] as string[] }
  const code = await spillway(args, { out: (text) => texts.out.push(text), err: (text) => texts.err.push(text) })
  return { code, stdout: texts.out.join(''), stderr: texts.err.join('') }
}

describe('spillway start', () => {
  it('runs a plugin from outside, tells where it listens, and at SIGTERM drains and exits 0', async () => {
    const program = start({})
    await program.sees(/TCP: listening on 127\.0\.0\.1:\d+/)
    program.kill('SIGTERM')
    assert.equal(await program.exit(), 0)
    assert.deepEqual(messagesOf(program).slice(-3), ['SIGTERM: stopping', 'draining', 'stopped'])
  })

  it('has plugins read their files again at SIGHUP, and goes on when one cannot', async () => {
    const program = start({})
    await program.sees(/listening/)
    program.kill('SIGHUP')
    await program.sees(/reload failed/)
    const [said, plugin, failed] = program.errorLines.slice(-3).map((line) => JSON.parse(line))
    assert.equal(said.msg, 'SIGHUP: reloading')
    assert.equal(plugin.msg, 'read again')
    assert.deepEqual([failed.plugin, failed.error], ['test-transport', 'no such file'])
    program.kill('SIGTERM')
    assert.equal(await program.exit(), 0)
  })

  it('exits at once at a second signal', async () => {
    const program = start({ drains: false })
    await program.sees(/listening/)
    program.kill('SIGINT')
    await program.sees(/draining/)
    program.kill('SIGINT')
    assert.equal(await program.exit(), 130)
  })

  it('says in one line that a port is taken, and exits 1', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const program = start({ port }, '--log-format=text', '--log-level=error')
    assert.equal(await program.exit(), 1)
    server.close()
    assert.match(program.stderr, new RegExp(`^\\S+ \\S+ FATAL: .*EADDRINUSE.*127.0.0.1:${port}`, 'm'))
    assert.equal(program.errorLines.length, 1)
  })

  it('stops with the stack in the log when an invariant breaks', async () => {
    const program = start({ breaks: true })
    assert.equal(await program.exit(), 1)
    const line = JSON.parse(program.errorLines.at(-1) ?? '')
    assert.equal(line.level, 'fatal')
    assert.match(line.msg, /^uncaught: Error: an invariant\n +at /)
  })

  it('says in one line that the file cannot be read, and exits 1', async () => {
    const program = new Program('spillway', ['start', '--config', join(folder, 'none.json')])
    assert.equal(await program.exit(), 1)
    assert.match(
      program.stderr,
      /^spillway: E_CONFIG \S+none\.json: found no such file, expected a JSON file that can be read\n$/,
    )
  })

  it('writes text where it is asked to, from the level that it is given on', async () => {
    const program = start({ breaks: true }, '--log-format=text', '--log-level=error')
    assert.equal(await program.exit(), 1)
    assert.match(program.stderr, /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} FATAL: uncaught: /)
  })
})

describe('spillway start --nodes', () => {
  it('ends all nodes at once at a second signal, also those that do not drain', async () => {
    const program = start({ drains: false }, '--nodes=2')
    await program.sees(/all nodes are listening/)
    const pids = [...program.stderr.matchAll(/"pid":(\d+)/g)].map((match) => Number(match[1]))
    program.kill('SIGTERM')
    await program.sees(/draining[\s\S]*draining/)
    program.kill('SIGTERM')
    assert.equal(await program.exit(), 143)
    assert.equal(pids.length, 2)
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), /ESRCH/)
  })
})

describe('spillway check', () => {
  it('is content with the embedded default, and opens nothing', async () => {
    const { code, stdout } = await finished('check')
    assert.deepEqual([code, stdout], [0, 'embedded default: ok\n'])
  })

  it('tells every mistake in a line of its own, and exits 1', async () => {
    const { code, stderr } = await finished('check', '-c', configWith({ prot: 1, drains: 'no' }))
    assert.equal(code, 1)
    const lines = stderr.trimEnd().split('\n')
    assert.equal(lines.length, 2)
    assert.match(
      lines[0],
      /^spillway: E_CONFIG \S+\/spillway\.json: \/transports\/0\/options\/prot: .*; did you mean "port"\?$/,
    )
  })

  it('reads the files that the configuration names with --files, and tells which cannot be used', async () => {
    const { cert, key } = await makeCertificate('broker')
    for (const [name, text] of Object.entries({ 'cert.pem': cert, 'key.pem': key, 'empty.pem': '' }))
      writeFileSync(join(folder, name), text)
    const transports = ['key.pem', 'empty.pem'].map((keyPath, index) => ({
      use: '@spillway/transport-tcp',
      options: { address: `127.0.0.1:${4150 + index}`, tls: { certPath: 'cert.pem', keyPath } },
    }))
    const path = join(folder, 'files.json')
    writeFileSync(path, JSON.stringify({ storage: { use: '@spillway/storage-memory' }, transports }))
    assert.equal((await finished('check', '-c', path)).code, 0)
    const { code, stdout } = await finished('check', '-c', path, '--files', '--json')
    assert.equal(code, 1)
    const problems = JSON.parse(stdout).problems as { pointer: string; found: string }[]
    assert.deepEqual(
      problems.map(({ pointer }) => pointer),
      ['/transports/1/options/tls'],
    )
    assert.match(problems[0].found, /empty\.pem: no PEM private key/)
  })

  it('says with --nodes what each node would get, also to scripts', async () => {
    const path = configWith({ port: 4150 })
    const { stdout } = await finished('check', '-c', path, '--nodes=2', '--port-step=10')
    const lines = ['node-1  test-transport 4150  data ./data/node-1', 'node-2  test-transport 4160  data ./data/node-2']
    assert.equal(stdout, `${path}: ok\n${lines.map((line) => `  ${line}\n`).join('')}`)
    const { nodes } = JSON.parse((await finished('check', '-c', path, '--nodes=2', '--json')).stdout)
    assert.deepEqual(nodes[1], {
      name: 'node-2',
      dataPath: './data/node-2',
      addresses: [{ transport: 'test-transport', address: '4250' }],
    })
  })

  it('names a plugin that never finishes loading, and exits 1', async () => {
    writeFileSync(join(folder, 'stuck.mjs'), 'await new Promise(() => {})')
    const path = join(folder, 'stuck.json')
    writeFileSync(path, JSON.stringify({ storage: { use: './stuck.mjs' }, transports: [{ use: './transport.mjs' }] }))
    const program = new Program('spillway', ['check', '-c', path])
    assert.equal(await program.exit(), 1)
    assert.match(
      program.stderr,
      /^spillway: E_PLUGIN \S+stuck\.json: \/storage\/use: found ".\/stuck.mjs", which never finishes loading, .*\n$/,
    )
  })

  it('tells them to scripts with --json, and does the same as start --check', async () => {
    const { code, stdout } = await finished('start', '--check', '--json', '-c', configWith({ prot: 1 }))
    assert.equal(code, 1)
    const { ok, problems } = JSON.parse(stdout)
    assert.equal(ok, false)
    assert.deepEqual(
      problems.map(({ code, pointer, nearest }: Record<string, string>) => [code, pointer, nearest]),
      [['E_CONFIG', '/transports/0/options/prot', 'port']],
    )
  })
})

describe('spillway', () => {
  it('teaches: the help of each command has examples', async () => {
    for (const args of [['--help'], ['help'], ['start', '--help'], ['help', 'check']]) {
      const { code, stdout } = await finished(...args)
      assert.equal(code, 0, args.join(' '))
      assert.match(stdout, /\nExamples:\n {2}\S*spillway /, args.join(' '))
    }
  })

  it('tells its version, also to scripts', async () => {
    assert.match((await finished('--version')).stdout, /^spillway v\d+\.\d+\.\d+ \(NSQ v1\.3\.0, Node v\d/)
    assert.deepEqual(Object.keys(JSON.parse((await finished('--version', '--json')).stdout)), [
      'spillway',
      'nsq',
      'node',
    ])
  })

  it('exits 2 at wrong usage, with a line that says what is wrong', async () => {
    const wrong: [string[], RegExp][] = [
      [['--confg=x'], /^spillway: no option --confg; did you mean --config\?\nTry: spillway --help\n$/],
      [['begin'], /no command "begin"\n/],
      [['strat'], /no command "strat"; did you mean start\?\n/],
      [['-x'], /no option -x\n/],
      [['start', 'now'], /"now" is one argument too many/],
      [['start', '--log-level=loud'], /--log-level is "loud", expected one of debug, info, warn, error, fatal/],
      [['start', '--nodes=0'], /--nodes is "0", expected a number from 1 to 64\n/],
      [['start', '--nodes=many'], /--nodes is "many", expected a number from 1 to 64\n/],
      [['start', '--nodes=2', '--port-step=x'], /--port-step is "x", expected a number from 1 to 10000\n/],
      [['start', '--port-step=10'], /--port-step is for --nodes, which is missing\n/],
      [['doctor', 'data', '--nodes=2'], /--nodes is for start and check, not for doctor\n/],
      [[], /Usage: spillway/],
    ]
    for (const [args, line] of wrong) {
      const { code, stderr } = await finished(...args)
      assert.equal(code, 2, args.join(' '))
      assert.match(stderr, line)
    }
  })
})
