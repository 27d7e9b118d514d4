import assert from 'node:assert/strict'
import { LineSplitter, nameLine } from '../../../src/spillway/nodes/log-lines.js'

const NOW = new Date('2026-01-02T03:04:05Z')

function linesOf(...texts: string[]): string[] {
  const lines: string[] = []
  const splitter = new LineSplitter((line) => lines.push(line))
  for (const text of texts) splitter.push(text)
  splitter.end()
  return lines
}

describe('what a node writes', () => {
  it('is cut into lines, however it comes', () => {
    assert.deepEqual(linesOf('one\ntw', 'o', '\n\nth', 'ree'), ['one', 'two', '', 'three'])
  })

  it('has no line longer than 65,536 characters', () => {
    const lines = linesOf('x'.repeat(100_000), `${'x'.repeat(50_000)}\nend\n`)
    assert.deepEqual(
      lines.map((line) => line.length),
      [65_536, 65_536, 150_000 - 2 * 65_536, 3],
    )
  })

  it('has the name of the node in front, in a log of text', () => {
    const line = '2026/01/02 03:04:05.000000 INFO: stopped'
    assert.equal(nameLine('text', 'node-2', line, NOW), `[node-2] ${line}\n`)
  })

  it('has it as a field, in a log of JSON', () => {
    const line = nameLine('json', 'node-2', '{"level":"info","msg":"stopped"}', NOW)
    assert.equal(line, '{"node":"node-2","level":"info","msg":"stopped"}\n')
  })

  it('becomes JSON in a log of JSON where it is none', () => {
    const line = nameLine('json', 'node-2', '    at "here"', NOW)
    assert.deepEqual(JSON.parse(line), {
      node: 'node-2',
      level: 'error',
      time: '2026-01-02T03:04:05.000Z',
      msg: '    at "here"',
    })
  })
})
