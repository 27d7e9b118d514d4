import assert from 'node:assert/strict'
import type { Logger, LogLevel } from '@spillway/core'
import { JsonLogger } from '../../src/log/json-logger.js'
import { TextLogger } from '../../src/log/text-logger.js'

/** 2026-11-21 03:29:42.123456, where the tests run. */
const WALL_MS = new Date(2026, 10, 21, 3, 29, 42, 123).getTime() + 0.456

function textLogger(level: LogLevel = 'info') {
  const lines: string[] = []
  const write = (line: string): void => void lines.push(line)
  return { lines, logger: new TextLogger({ level, prefix: '[nsqd] ', clock: { wallMs: () => WALL_MS }, write }) }
}

function jsonLogger(level: LogLevel = 'info') {
  const lines: string[] = []
  return { lines, logger: JsonLogger.create(level, { write: (line) => void lines.push(line) }) }
}

describe('TextLogger', () => {
  it("writes nsqd's lines", () => {
    const { lines, logger } = textLogger('debug')
    for (const level of ['debug', 'info', 'warn', 'error', 'fatal'] as const) logger[level]('text')
    const stamp = '[nsqd] 2026/11/21 03:29:42.123456'
    const names = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'FATAL']
    assert.deepEqual(
      lines,
      names.map((name) => `${stamp} ${name}: text\n`),
    )
  })

  it('adds fields behind the text, those of a child first, errors with their stack', () => {
    const { lines, logger } = textLogger()
    logger.child({ plugin: 'p' }).info('text', { count: 2, error: Object.assign(new Error(), { stack: 'at x' }) })
    assert.match(lines[0], / INFO: text plugin="p" count=2 error="at x"\n$/)
  })
})

for (const [name, open] of Object.entries({ TextLogger: textLogger, JsonLogger: jsonLogger })) {
  describe(`${name} as a Logger`, () => {
    it('drops what is below its level', () => {
      const { lines, logger } = open('error')
      logger.warn('no')
      logger.error('yes')
      assert.equal(lines.length, 1)
    })

    it('changes its level while it runs, and that of its children', () => {
      const { lines, logger } = open('error')
      const child: Logger = logger.child({ plugin: 'p' }).child({ part: 'q' })
      child.info('no')
      logger.level = 'debug'
      child.debug('yes')
      child.level = 'fatal'
      logger.error('no')
      assert.equal(lines.length, 1)
      assert.equal(logger.level, 'fatal')
    })
  })
}

describe('JsonLogger', () => {
  it('writes one object a line: level, time, fields, message', () => {
    const { lines, logger } = jsonLogger()
    logger.child({ plugin: 'p' }).warn('text', { count: 2, error: Object.assign(new Error(), { stack: 'at x' }) })
    const { time, ...line } = JSON.parse(lines[0])
    assert.deepEqual(line, { level: 'warn', plugin: 'p', count: 2, error: 'at x', msg: 'text' })
    assert.equal(new Date(time).toISOString(), time)
  })
})
