import assert from 'node:assert/strict'
import { lookup } from 'node:dns/promises'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from '../support/eventually.js'
import { HttpClient } from '../support/http-client.js'
import { lastingPorts } from '../support/lasting-ports.js'
import { Program } from '../support/program.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const LIMIT_MS = 30_000
/** The ports in the README: of nsqlookupd, and of three brokers. */
const PORTS = [4160, 4161, 4150, 4151, 4250, 4251, 4350, 4351]

/** The README's cluster, line by line, on ports and in folders of our own. */
describe('quick start of a cluster', () => {
  let folder: string
  let programs: Program[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spillway-test-'))
    programs = []
  })
  afterEach(async () => {
    await Promise.all(programs.map((program) => program.exit ?? program.stop()))
    await rm(folder, { recursive: true, force: true })
  })

  it('has in a file what curl published', async function () {
    this.timeout(2 * LIMIT_MS)
    const ports = new Map((await lastingPorts(PORTS.length)).map((port, at) => [String(PORTS[at]), String(port)]))
    const port = (known: number): string => ports.get(String(known)) as string
    const lines = await linesOfReadme()
    assert.deepEqual(
      lines.map((line) => line.replace(/^npx /, '').split(' ')[0]),
      ['nsqlookupd', 'nsqd', 'nsqd', 'nsqd', 'nsq_to_file', 'curl', 'cat'],
    )
    const flagsOf: Record<string, string> = {
      nsqlookupd: ` -tcp-address=127.0.0.1:${port(4160)} -http-address=127.0.0.1:${port(4161)}`,
      nsqd: (await isKnown(hostname())) ? '' : ' -broadcast-address=127.0.0.1',
    }
    for (const line of lines) {
      const [, name] = /^npx (\S+)/.exec(line) ?? []
      const mapped = line
        .replaceAll(/(?<=:)\d{4}/g, (text) => ports.get(text) ?? text)
        .replaceAll('$(mktemp -d)', () => join(folder, `node-${programs.length}`))
        .replaceAll('/tmp/test-topic', join(folder, 'test-topic'))
      if (name !== undefined)
        await start(mapped.replace('npx ', 'exec node_modules/.bin/') + (flagsOf[name] ?? ''), name)
      else if (line.startsWith('curl ')) await publish(mapped)
    }
    const text = await eventually(() => written(join(folder, 'test-topic')), LIMIT_MS, 'the file')
    assert.equal(text, 'hello world 1\n')

    async function start(command: string, name: string): Promise<void> {
      const [, dataPath] = /-data-path="([^"]+)"/.exec(command) ?? []
      if (dataPath !== undefined) await mkdir(dataPath)
      const program = new Program({ command: 'sh', args: ['-c', command], cwd: ROOT })
      programs.push(program)
      if (name === 'nsq_to_file') return
      await eventually(
        () => {
          program.assertRunning()
          return /HTTP: listening/.test(program.stderr) ? true : undefined
        },
        LIMIT_MS,
        `a listening ${name}`,
      )
    }
  })

  async function linesOfReadme(): Promise<string[]> {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8')
    const section = readme.slice(readme.indexOf('\n## A cluster\n'))
    const [, block = ''] = /```sh\n(.*?)```/s.exec(section) ?? []
    return block.trim().split('\n')
  }

  async function publish(curl: string): Promise<void> {
    const [, body, port, path] = /^curl -d '(.*)' 'http:\/\/127\.0\.0\.1:(\d+)(\/.*)'$/.exec(curl) ?? []
    const http = new HttpClient({ host: '127.0.0.1', port: Number(port) })
    assert.deepEqual(await http.post(path, body), { status: 200, text: 'OK' })
  }

  async function written(directory: string): Promise<string | undefined> {
    const files = await readdir(directory)
    assert.match(files.join(' '), /^test\.\S+\.log$/)
    const text = await readFile(join(directory, files[0]), 'utf8')
    return text === '' ? undefined : text
  }

  function isKnown(name: string): Promise<boolean> {
    return lookup(name).then(
      () => true,
      () => false,
    )
  }
})
