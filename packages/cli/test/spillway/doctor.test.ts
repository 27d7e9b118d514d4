import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spillway } from '../../src/spillway/main.js'
import { endPrograms, Program } from '../program.js'

/** The whole way: a broker that is stopped or killed, a doctor that is told its data path. */
describe('spillway doctor', () => {
  let folder: string
  let path: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'spillway-doctor-test-'))
    path = join(folder, 'data')
  })

  afterEach(endPrograms)

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  async function run(...args: string[]) {
    const result = { code: -1, out: '', err: '' }
    result.code = await spillway(['doctor', ...args], {
      out: (text) => {
        result.out += text
      },
      err: (text) => {
        result.err += text
      },
    })
    return result
  }

  /** A broker with 500 orders, the last one told apart. */
  async function startBroker(): Promise<{ broker: Program; http: string }> {
    const config = {
      node: { dataPath: path },
      storage: {
        use: '@spillway/storage-rocksdb',
        options: { durability: 'power', ballastSizeBytes: 0, freeDiskBytesMin: 0 },
      },
      transports: [{ use: '@spillway/transport-http', options: { address: '127.0.0.1:0' } }],
    }
    writeFileSync(join(folder, 'spillway.json'), JSON.stringify(config))
    const broker = new Program('spillway', ['start', '--config', join(folder, 'spillway.json'), '--log-format=json'])
    const [, port] = await broker.sees(/127\.0\.0\.1:(\d{2,})/)
    return { broker, http: `http://127.0.0.1:${port}` }
  }

  async function post(url: string, body = ''): Promise<string> {
    const response = await fetch(url, { method: 'POST', body })
    const text = await response.text()
    assert.equal(response.status, 200, text)
    return text
  }

  const depth = async (http: string): Promise<number> => {
    const stats = (await (await fetch(`${http}/stats?format=json`)).json()) as {
      topics: { channels: { depth: number }[] }[]
    }
    return stats.topics[0].channels[0].depth
  }

  it('tells what is there, finds damage, repairs it, and the broker goes on with the rest', async function () {
    this.timeout(60_000) // each order waits for the disk
    const { broker, http } = await startBroker()
    await post(`${http}/topic/create?topic=orders`)
    await post(`${http}/channel/create?topic=orders&channel=mail`)
    // One after the other, so that each is a stretch of the journal for itself.
    for (let number = 0; number < 50; number++)
      await post(`${http}/pub?topic=orders`, `order ${number} `.padEnd(300, '.'))

    const busy = await run(path)
    assert.deepEqual(busy, {
      code: 2,
      out: '',
      err: `spillway: E_STORAGE_LOCKED ${path} is in use by a broker; stop it first\n`,
    })
    broker.kill('SIGKILL')
    await broker.exit()

    const healthy = await run(path)
    assert.equal(healthy.code, 0, healthy.err)
    assert.match(healthy.out, /^TOPIC +CHANNEL +DEPTH +STORED +SIZE$/m)
    assert.match(healthy.out, /^orders +0 +50 +16\.\d KiB +power$/m)
    assert.match(healthy.out, /^ +mail +50$/m)
    assert.match(healthy.out, /^damage: none$/m)

    const [name] = readdirSync(join(path, 'journal'))
    const journal = join(path, 'journal', name)
    const bytes = readFileSync(journal)
    bytes[bytes.indexOf('order 20 ')] ^= 1
    writeFileSync(journal, bytes)
    const damaged = await run(path, '--json')
    assert.equal(damaged.code, 1)
    const report = JSON.parse(damaged.out)
    assert.deepEqual(
      report.damage.map(({ kind }: { kind: string }) => kind),
      ['journal', 'missing'],
    )
    const refused = new Program('spillway', ['start', '--config', join(folder, 'spillway.json')])
    assert.equal(await refused.exit(), 1)
    assert.match(refused.stderr, /E_STORAGE_CORRUPT/)
    assert(refused.stderr.includes(journal), refused.stderr)

    const repaired = await run(path, '--repair')
    assert.equal(repaired.code, 0, repaired.out)
    assert.match(repaired.out, /^ {2}topic orders: records 20 to 20, 1 message that some channel had not finished$/m)
    assert.match(repaired.out, /^now: no damage$/m)
    const { broker: again, http: httpAgain } = await startBroker()
    assert.equal(await depth(httpAgain), 49)
    again.kill('SIGTERM')
    assert.equal(await again.exit(), 0, again.stderr)
    assert.equal((await run(path, '--repair')).out.split('\n').at(-2), 'nothing to repair: no damage')
  })

  it('cannot look where nothing is', async () => {
    const { code, err } = await run(path)
    assert.equal(code, 2)
    assert.match(err, /^spillway: E_STORAGE_IO .*no such file or directory/)
    const asked = await run(folder, '--json')
    assert.equal(asked.code, 2)
    assert.equal(JSON.parse(asked.out).error.code, 'E_STORAGE_IO')
  })

  for (const [args, error] of [
    [[], 'spillway: doctor needs the data path\nTry: spillway --help\n'],
    [['a', 'b'], 'spillway: "b" is one argument too many\nTry: spillway --help\n'],
    [['--repare', 'a'], 'spillway: no option --repare; did you mean --repair?\nTry: spillway --help\n'],
  ] as const) {
    it(`says what is wrong with: doctor ${args.join(' ')}`, async () => {
      assert.deepEqual(await run(...args), { code: 2, out: '', err: error })
    })
  }

  it('has help', async () => {
    const { code, out } = await run('--help')
    assert.equal(code, 0)
    assert.match(out, /^Usage: spillway doctor DATA_PATH \[--repair\] \[--json\]$/m)
  })
})
