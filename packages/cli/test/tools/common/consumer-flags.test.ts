import assert from 'node:assert/strict'
import { parseClientOpt } from '../../../src/tools/common/client-opts.js'
import { consumerBaseOf } from '../../../src/tools/common/consumer-flags.js'

describe('the consumer of a tool', () => {
  const baseOf = (...opts: string[]) =>
    consumerBaseOf('nsq_tail', { 'nsqd-tcp-address': ['here:4150'], 'consumer-opt': opts.map(parseClientOpt) })

  it('drops no message for having come often, unless it is told to', () => {
    assert.equal(baseOf().maxAttempts, 0)
    assert.equal(baseOf('max_attempts,5').maxAttempts, 5)
  })
})
