import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lastingPorts } from '../support/lasting-ports.js'
import { Program } from '../support/program.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'
import { within } from '../support/within.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const GUIDE = readFileSync(join(ROOT, 'docs', 'client.md'), 'utf8')
const LIMIT_MS = 20_000

/** Each example and, behind it, what it prints. */
const EXAMPLES = [...GUIDE.matchAll(/```js\n(.*?)```\n\n```text\n(.*?)```/gs)].map(([, code, output]) => ({
  code,
  output,
}))

describe('docs/client.md', function () {
  this.timeout(60_000)
  let broker: RunningBroker
  let folder: string
  let lookupdPort: number

  before(async () => {
    broker = await startBroker()
    ;[lookupdPort] = await lastingPorts(1)
    // Here, so that the examples find the package.
    folder = mkdtempSync(join(fileURLToPath(new URL('.', import.meta.url)), 'guide-'))
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await broker.stop()
  })

  it('has an output for each example', () => {
    assert.ok(EXAMPLES.length > 0)
    assert.equal(EXAMPLES.length, [...GUIDE.matchAll(/```js\n/g)].length)
  })

  for (const [index, { code, output }] of EXAMPLES.entries()) {
    it(`example ${index + 1} runs, prints what it says, and ends`, async () => {
      const path = join(folder, `example-${index + 1}.mjs`)
      // Nobody listens where it looks for an nsqlookupd.
      const lookupd = `127.0.0.1:${lookupdPort}`
      writeFileSync(path, code.replaceAll('127.0.0.1:4150', broker.tcpAddress).replaceAll('127.0.0.1:4161', lookupd))
      const program = new Program({ command: process.execPath, args: [path] })
      const exit = await within(program.exited, LIMIT_MS, `example ${index + 1}`)
      assert.deepEqual(
        { stdout: program.stdout, stderr: program.stderr, ...exit },
        { stdout: output, stderr: '', code: 0, signal: null },
      )
    })
  }

  it('names every option, and none that there is not', () => {
    const optionsOf = (file: string): string[] => {
      const source = readFileSync(join(ROOT, 'packages', 'client', 'src', file), 'utf8')
      const [, body] = /export interface \w+Options.*?\{\n(.*?)\n\}/s.exec(source) ?? []
      return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name)
    }
    const tables = GUIDE.slice(GUIDE.indexOf('## Options'), GUIDE.indexOf('## How fast')).split('\n\n').slice(2)
    for (const [index, file] of ['connection-options.ts', 'producer-options.ts', 'consumer-options.ts'].entries()) {
      const cells = tables[index]
        .split('\n')
        .slice(2)
        .map((row) => row.split('|')[1])
      const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name))
      assert.deepEqual(named.sort(), optionsOf(file).sort(), file)
    }
  })

  it('names every event', () => {
    const named = [...GUIDE.slice(GUIDE.indexOf('## Events')).matchAll(/^\| `(\w+)` \| (?:both|consumer) \|/gm)]
    const source = readFileSync(join(ROOT, 'packages', 'client', 'src', 'consumer.ts'), 'utf8')
    const [, body] = /interface ConsumerEvents \{\n(.*?)\n\}/s.exec(source) ?? []
    const events = [...body.matchAll(/^ {2}(\w+):/gm)].map(([, name]) => name)
    assert.deepEqual(named.map(([, name]) => name).sort(), events.sort())
  })
})
