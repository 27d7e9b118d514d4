import assert from 'node:assert/strict'
import { rateLine, StatusLine } from '../../../src/tools/common/status-line.js'

describe('the status line', () => {
  it('says how many and how fast', () => {
    assert.equal(rateLine('messages', 1_234_567, 8_901.4), '1,234,567 messages, 8,901/s')
  })

  it('is nowhere without a terminal, where lines pass as they are', () => {
    const written: string[] = []
    const status = new StatusLine({ write: (text) => written.push(text), isShown: false, nowMs: () => 0 })
    status.start('messages', () => 1)
    status.print('a line\n')
    status.stop()
    assert.deepEqual(written, ['a line\n'])
  })
})
