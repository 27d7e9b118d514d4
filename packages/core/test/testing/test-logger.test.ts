import assert from 'node:assert/strict'
import { TestLogger } from '../../src/testing/index.js'

describe('TestLogger', () => {
  it('collects the lines of its children, with their fields', () => {
    const logger = new TestLogger()
    logger.child({ topic: 't' }).child({ channel: 'c' }).warn('slow', { ms: 3 })
    assert.deepEqual(logger.lines, [{ level: 'warn', message: 'slow', fields: { topic: 't', channel: 'c', ms: 3 } }])
  })

  it('drops lines below the level, which children follow', () => {
    const logger = new TestLogger()
    const child = logger.child({})
    logger.level = 'error'
    child.warn('dropped')
    child.error('kept')
    assert.deepEqual(logger.messages('warn'), [])
    assert.deepEqual(logger.messages('error'), ['kept'])
  })
})
