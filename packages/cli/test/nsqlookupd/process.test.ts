import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nsqlookupd } from '../../src/nsqlookupd/main.js'
import { endPrograms, Program } from '../program.js'

const ANYWHERE = ['--tcp-address=127.0.0.1:0', '-http-address', '127.0.0.1:0']

/** Runs a command that ends by itself, in this process. */
async function finished(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const texts = { out: [] as string[], err: [] as string[] }
  const code = await nsqlookupd(args, { out: (text) => texts.out.push(text), err: (text) => texts.err.push(text) })
  return { code, stdout: texts.out.join(''), stderr: texts.err.join('') }
}

/** A running one, and where it listens. */
async function started(...args: string[]): Promise<{ program: Program; tcpPort: number; http: string }> {
  const program = new Program('nsqlookupd', [...ANYWHERE, ...args])
  const [, tcpPort] = await program.sees(/ INFO: TCP: listening on 127\.0\.0\.1:([1-9]\d*)$/m)
  const [, http] = await program.sees(/ INFO: HTTP: listening on (127\.0\.0\.1:[1-9]\d*)$/m)
  return { program, tcpPort: Number(tcpPort), http: `http://${http}` }
}

describe('nsqlookupd', () => {
  let folder = ''

  afterEach(endPrograms)

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-nsqlookupd-'))
  })
  after(() => rmSync(folder, { recursive: true }))

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`says where it listens, answers there, and exits 0 at ${signal}`, async () => {
      const { program, tcpPort, http } = await started('--broadcast-address=here.test')
      const socket = connect(tcpPort, '127.0.0.1')
      const body = JSON.stringify({ broadcast_address: 'b', tcp_port: 1, http_port: 2, version: 'v' })
      socket.write(`  V1IDENTIFY\n\0\0\0${String.fromCharCode(body.length)}${body}`)
      const [answer] = await once(socket, 'data')
      assert.equal(JSON.parse(answer.subarray(4)).broadcast_address, 'here.test')
      const nodes = (await (await fetch(`${http}/nodes`)).json()) as { producers: { broadcast_address: string }[] }
      assert.equal(nodes.producers[0].broadcast_address, 'b')
      program.kill(signal)
      assert.equal(await program.exit(), 0)
      socket.destroy()
      assert.match(program.errorLines[0], /^\[nsqlookupd\] \S+ \S+ INFO: nsqlookupd v1\.3\.0 \(built w\//)
      assert.match(program.errorLines.at(-1) ?? '', / INFO: stopped$/)
    })
  }

  it('keeps topics and channels over a restart where it has a data path, also when nobody reads its log any more', async () => {
    const first = await started(`--data-path=${folder}`)
    await fetch(`${first.http}/channel/create?topic=t&channel=c`, { method: 'POST' })
    first.program.leaveErrorsUnread()
    first.program.kill('SIGTERM')
    assert.equal(await first.program.exit(), 0)
    const second = await started(`--data-path=${folder}`)
    assert.deepEqual(await (await fetch(`${second.http}/channels?topic=t`)).json(), { channels: ['c'] })
    second.program.kill('SIGTERM')
    assert.equal(await second.program.exit(), 0)
  })

  it('takes its flags from a file as well; those on the command line count more', async () => {
    const path = join(folder, 'nsqlookupd.toml')
    writeFileSync(
      path,
      'log_prefix = "[file] "\nlog_level = "warn"\ntombstone_lifetime = "0s"\ninactive_producer_timout = "1m"\n',
    )
    const { program } = await started(`--config=${path}`, '--log-level=info')
    program.kill('SIGTERM')
    await program.exit()
    assert.match(program.stderr, /^\[file\] .* INFO: nsqlookupd v1\.3\.0/)
    assert.match(
      program.stderr,
      /WARNING: \S+ unknown key "inactive_producer_timout"; did you mean "inactive_producer_timeout"\?/,
    )
  })

  it('says in one line what is wrong with its file, and exits 1', async () => {
    const path = join(folder, 'bad.toml')
    writeFileSync(path, 'tombstone_lifetime = "soon"\n')
    const { code, stderr } = await finished(`--config=${path}`)
    assert.equal(code, 1)
    assert.match(
      stderr,
      /^\[nsqlookupd\] \S+ \S+ FATAL: failed to load config file \S+ - failed parsing tombstone_lifetime "soon": parse error\n$/,
    )
  })

  it('says in one line that an address is taken, and exits 1', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const taken = `127.0.0.1:${port}`
    for (const flags of [
      [`--tcp-address=${taken}`, '--http-address=127.0.0.1:0'],
      [`--http-address=${taken}`, '--tcp-address=127.0.0.1:0'],
    ]) {
      const program = new Program('nsqlookupd', ['--log-level=error', ...flags])
      assert.equal(await program.exit(), 1)
      assert.equal(program.errorLines.length, 1, program.stderr)
      const line = `FATAL: failed to instantiate nsqlookupd - listen (${taken}) failed - address already in use`
      assert.ok(program.stderr.endsWith(`${line}\n`), program.stderr)
    }
    server.close()
  })

  it('says in one line that its data path is missing, and exits 1', async () => {
    const program = new Program('nsqlookupd', [...ANYWHERE, '--log-level=error', `--data-path=${join(folder, 'none')}`])
    assert.equal(await program.exit(), 1)
    assert.match(program.stderr, /^\[.*FATAL: failed to instantiate nsqlookupd - data path \S+: no such folder; .*\n$/)
  })

  it('exits 2 with its usage at a flag that it does not know or cannot read', async () => {
    for (const [flag, line] of [
      ['--nope', 'flag provided but not defined: -nope'],
      ['--tombstone-lifetime=5', 'invalid value "5" for flag -tombstone-lifetime: parse error'],
      [
        '--tombstone-lifetime=-5s',
        'invalid value "-5s" for flag -tombstone-lifetime: expected a duration of 0 or more, such as 45s',
      ],
    ]) {
      const { code, stderr } = await finished(flag)
      assert.equal(code, 2)
      assert.ok(stderr.startsWith(`${line}\nUsage of nsqlookupd:\n`), stderr.slice(0, 200))
    }
  })

  it('shows usage with examples, and its version, and exits 0', async () => {
    const help = await finished('--help')
    assert.equal(help.code, 0)
    assert.match(help.stdout, /^Usage of nsqlookupd:\n {2}-version\n(?:.*\n)*Examples:\n {2}nsqlookupd\n/)
    assert.deepEqual(await finished('help'), help)
    const version = await finished('-version')
    assert.deepEqual([version.code, version.stderr], [0, ''])
    assert.match(version.stdout, /^nsqlookupd v1\.3\.0 \(built w\/.+\)\n$/)
  })

  it('has every flag in docs/nsqlookupd.md, with its default', async () => {
    const page = readFileSync(new URL('../../../../../docs/nsqlookupd.md', import.meta.url), 'utf8')
    const { stdout } = await finished('--help')
    const flags = [...stdout.matchAll(/^ {2}-(\S+).*\n\s+.*?(?: \(default "?([^)"]*)"?\))?$/gm)].map(
      ([, name, value = '']) => [name, value.trim()],
    )
    const rows = [...page.matchAll(/^\| `--(\S+)` \|([^|]*)\|/gm)].map(([, name, value]) => [
      name,
      value.replaceAll('`', '').trim(),
    ])
    assert.deepEqual(rows, flags)
  })
})
