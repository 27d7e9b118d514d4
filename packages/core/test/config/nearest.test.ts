import assert from 'node:assert/strict'
import { nearest } from '../../src/config/nearest.js'

describe('nearest', () => {
  const keys = ['msgTimeoutMs', 'msgTimeoutMsMax', 'memQueueSize', 'dataPath']

  it('finds the word behind a letter too many, too few, wrong, or two that are swapped', () => {
    assert.equal(nearest('dattaPath', keys), 'dataPath')
    assert.equal(nearest('dataPat', keys), 'dataPath')
    assert.equal(nearest('dataPaTj', keys), 'dataPath')
    assert.equal(nearest('adtaPath', keys), 'dataPath')
  })

  it('takes the closest of several', () => {
    assert.equal(nearest('msgTimeoutMsMx', keys), 'msgTimeoutMsMax')
    assert.equal(nearest('msgTimeoutM', keys), 'msgTimeoutMs')
  })

  it('does not mind case', () => {
    assert.equal(nearest('MEMQUEUESIZE', keys), 'memQueueSize')
  })

  it('says nothing rather than something far off', () => {
    assert.equal(nearest('color', keys), undefined)
    assert.equal(nearest('use', ['nod']), undefined)
  })
})
