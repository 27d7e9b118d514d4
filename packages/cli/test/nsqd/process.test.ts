import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nsqd } from '../../src/nsqd/main.js'
import { endPrograms, Program } from '../program.js'

const ANYWHERE = ['--tcp-address=127.0.0.1:0', '--http-address', '127.0.0.1:0']

/** Runs a command that ends by itself, in this process. */
async function finished(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const texts = { out: [] as string[], err: [] as string[] }
  const code = await nsqd(args, { out: (text) => texts.out.push(text), err: (text) => texts.err.push(text) })
  return { code, stdout: texts.out.join(''), stderr: texts.err.join('') }
}

/** What the FATAL lines say, without their beginning. */
const fatalOf = (text: string): string[] =>
  [...text.matchAll(/^\[nsqd\] \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} FATAL: (.*)$/gm)].map(([, reason]) => reason)

afterEach(endPrograms)

describe('nsqd', () => {
  it('says where it listens, answers there, and exits 0 at SIGTERM', async () => {
    const program = new Program('nsqd', ANYWHERE)
    await program.sees(/^\[nsqd\] \S+ \S+ INFO: TCP: listening on 127\.0\.0\.1:[1-9]\d*$/m)
    const [, address] = await program.sees(/^\[nsqd\] \S+ \S+ INFO: HTTP: listening on (127\.0\.0\.1:[1-9]\d*)$/m)
    const ping = await fetch(`http://${address}/ping`)
    assert.equal(await ping.text(), 'OK')
    program.kill('SIGTERM')
    assert.equal(await program.exit(), 0)
    assert.match(program.errorLines[0], /^\[nsqd\] \S+ \S+ INFO: nsqd v1\.3\.0 \(built w\//)
  })

  it('warns of flags that have no effect, and runs, also when nobody reads its log any more', async () => {
    const program = new Program('nsqd', [...ANYWHERE, '-sync-every=1', '--lookupd-tcp-address', 'nowhere'])
    await program.sees(/TCP: listening/)
    assert.match(program.stderr, / WARNING: --sync-every has no effect in Spillway\n/)
    assert.match(program.stderr, / WARNING: --lookupd-tcp-address=nowhere is not used: expected <addr>:<port>/)
    program.leaveErrorsUnread()
    program.kill('SIGHUP')
    program.kill('SIGTERM')
    assert.equal(await program.exit(), 0)
  })

  it('says in one line that an address is taken, and exits 1', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const program = new Program('nsqd', ['--log-level=error', '--http-address=', `--tcp-address=127.0.0.1:${port}`])
    assert.equal(await program.exit(), 1)
    server.close()
    assert.equal(program.errorLines.length, 1)
    assert.match(
      fatalOf(program.stderr)[0],
      new RegExp(`^failed to instantiate nsqd - listen \\(127.0.0.1:${port}\\) failed - `),
    )
  })

  it("refuses what nsqd refuses, in nsqd's words, and exits 1", async () => {
    const refused: [string, string][] = [
      ['--max-deflate-level=10', '--max-deflate-level must be [1,9]'],
      ['--node-id=1024', '--node-id must be [0,1024)'],
      ['--tls-required', 'cannot require TLS client connections without TLS key and cert'],
    ]
    for (const [flag, reason] of refused) {
      const { code, stderr } = await finished(flag)
      assert.deepEqual([code, fatalOf(stderr)], [1, [`failed to instantiate nsqd - ${reason}`]])
    }
  })

  it('does not start without the configuration file that it was given', async () => {
    const { code, stderr } = await finished('--config=/nowhere/nsqd.toml')
    assert.equal(code, 1)
    assert.deepEqual(fatalOf(stderr), ['failed to load config file /nowhere/nsqd.toml - no such file'])
  })

  it('writes JSON where it is asked to', async () => {
    const program = new Program('nsqd', [...ANYWHERE, '--log-format=json'])
    await program.sees(/listening/)
    assert.equal(JSON.parse(program.errorLines[0]).level, 'info')
  })

  it('names the flag whose value the configuration cannot take', async () => {
    const { code, stderr } = await finished('--max-msg-size=-1', '--storage=./none.js', '--msg-timeout=0')
    assert.equal(code, 1)
    assert.deepEqual(
      fatalOf(stderr).map((line) => line.replace('failed to instantiate nsqd - ', '').split(', ')[0]),
      ['--msg-timeout: found 0', '--max-msg-size: found -1', '--storage: found "./none.js"'],
    )
  })

  it('shows a value as it was typed, and the form that the flag takes', async () => {
    const { stderr } = await finished('--msg-timeout=-5s', '--memory-limit=1MiB')
    assert.deepEqual(fatalOf(stderr), [
      'failed to instantiate nsqd - --msg-timeout: found -5s, expected a duration of at least 1ms, such as 30s code="E_CONFIG"',
      'failed to instantiate nsqd - --memory-limit: found 1MiB, expected a size of at least 16MiB, such as 512MiB code="E_CONFIG"',
    ])
  })

  it('refuses a port that does not exist, and to listen nowhere', async () => {
    const { stderr } = await finished('--tcp-address=127.0.0.1:65536')
    assert.match(fatalOf(stderr)[0], /--tcp-address: found "127\.0\.0\.1:65536", expected host:port .* up to 65535/)
    const nowhere = await finished('--tcp-address=', '--http-address=')
    assert.match(fatalOf(nowhere.stderr)[0], /--tcp-address: found \[\], expected at least one transport/)
  })

  it('warns of limits that contradict each other, as nsqd runs with them', async () => {
    const program = new Program('nsqd', [...ANYWHERE, '--max-msg-size=9000000'])
    await program.sees(/ WARNING: --max-msg-size: found 9000000, expected at most --max-body-size, which is 5242880\n/)
    await program.sees(/TCP: listening/)
  })

  it('names the flag of the other limit, and of an option of a plugin, in the form that the flags take', async () => {
    const program = new Program('nsqd', [...ANYWHERE, '--msg-timeout=1h30m'])
    await program.sees(/ WARNING: --msg-timeout: found 1h30m, expected at most --max-msg-timeout, which is 15m\n/)
    const { stderr } = await finished('--statsd-address=127.0.0.1:8125', '--statsd-interval=0s')
    assert.deepEqual(
      fatalOf(stderr).map((line) => line.replace('failed to instantiate nsqd - ', '')),
      ['--statsd-interval: found 0s, expected a number, at least 1 code="E_CONFIG"'],
    )
  })

  it('does not start where its data path is not, as nsqd: the disk may not be mounted', async () => {
    const { code, stderr } = await finished('--data-path=/nowhere/data')
    assert.equal(code, 1)
    assert.deepEqual(fatalOf(stderr), [
      'failed to instantiate nsqd - failed to lock data-path: open /nowhere/data: no such file or directory; make it first, or mount its disk',
    ])
  })

  it('warns of a policy for client certificates that is none, and of queue files without the list of topics', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'spillway-nsqd-'))
    writeFileSync(join(folder, 'orders.diskqueue.000000.dat'), '')
    const flags = ['--tls-client-auth-policy=require_verify', '--tls-cert=none.pem', '--tls-key=none.pem']
    const { stderr } = await finished(`--data-path=${folder}`, ...flags)
    rmSync(folder, { recursive: true })
    assert.match(
      stderr,
      / WARNING: --tls-client-auth-policy: "require_verify" asks .*; did you mean "require-verify"\?\n/,
    )
    assert.match(stderr, / WARNING: \S+ has 1 queue files of an nsqd, and no nsqd\.dat/)
  })

  it('does not open a debugger at SIGUSR1, which tools that rotate logs send', async () => {
    const program = new Program('nsqd', ANYWHERE)
    await program.sees(/HTTP: listening/)
    program.kill('SIGUSR1')
    await program.sees(/SIGUSR1: nothing to do/)
    program.kill('SIGTERM')
    assert.equal(await program.exit(), 0)
    assert.doesNotMatch(program.stderr, /Debugger listening/)
  })

  it('refuses a durability that the storage does not offer', async () => {
    const { stderr } = await finished('--storage=memory', '--durability=power')
    assert.deepEqual(fatalOf(stderr), [
      'failed to instantiate nsqd - --durability: found "power", expected one of "none", which this storage offers code="E_CONFIG"',
    ])
  })

  it('exits 2 with its usage at a flag that it does not know or cannot read', async () => {
    for (const [flag, line] of [
      ['--nope', 'flag provided but not defined: -nope'],
      ['--msg-timeout=5', 'invalid value "5" for flag -msg-timeout: parse error'],
      ['--log-level=loud', 'invalid value "loud" for flag -log-level: expected one of debug, info, warn, error, fatal'],
    ]) {
      const { code, stderr } = await finished(flag)
      assert.equal(code, 2)
      assert.ok(stderr.startsWith(`${line}\nUsage of nsqd:\n`), stderr.slice(0, 200))
    }
  })

  it('exits 1 at a percentile that is no number', async () => {
    const { code, stderr } = await finished('--e2e-processing-latency-percentile=high')
    assert.deepEqual([code, stderr], [1, 'Could not parse: high\n'])
  })

  it('shows usage and version, and exits 0', async () => {
    const help = await finished('-h')
    assert.equal(help.code, 0)
    assert.match(help.stdout, /^Usage of nsqd:\n {2}-version\n/)
    assert.match(
      help.stdout,
      /\nExamples:\n {2}nsqd .*\n {2}nsqd .*\n(?:.*\n)*.*spillway doctor.*\n?.*docs\/configuration\.md/,
    )
    assert.deepEqual(await finished('help'), help)
    assert.match(help.stdout, /-sync-every int\n.*\[no effect\]\n/)
    const version = await finished('--version')
    assert.equal(version.code, 0)
    assert.match(version.stdout, /^nsqd v1\.3\.0 \(built w\/.+\)\n$/)
  })
})

describe('node_modules/.bin', () => {
  it('has the executables', () => {
    for (const name of ['nsqd', 'nsqlookupd', 'spillway']) {
      const link = new URL(`../../../../../node_modules/.bin/${name}`, import.meta.url)
      const own = fileURLToPath(new URL(`../../../bin/${name}.js`, import.meta.url))
      assert.equal(realpathSync(link), realpathSync(own))
      assert.ok((statSync(link).mode & 0o111) !== 0, `${name} is executable`)
    }
  })
})
