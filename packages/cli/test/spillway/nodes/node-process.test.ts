import assert from 'node:assert/strict'
import type { NodeOrder } from '../../../src/spillway/nodes/messages.js'
import { launchNode } from '../../../src/spillway/nodes/node-process.js'
import type { NodeEnd } from '../../../src/spillway/nodes/supervisor.js'

const ORDER: NodeOrder = {
  config: { storage: { use: '@spillway/storage-memory' }, transports: [] },
  source: { label: 'order', folder: '/', substituted: [] },
  nodesOnMachine: 2,
  logFormat: 'text',
  logLevel: null,
}

describe('the process of a node', () => {
  const { execPath } = process
  afterEach(() => {
    process.execPath = execPath
  })

  it('ends once when it cannot be started, and takes what is said to it', async () => {
    process.execPath = '/nowhere/node'
    const ends: NodeEnd[] = []
    const node = launchNode('node-1', ORDER, { listening: () => {}, ended: (end) => ends.push(end) }, () => {})
    node.stop('test')
    node.kill()
    while (ends.length === 0) await new Promise(setImmediate)
    // The pipes of what has not begun close after that.
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    assert.deepEqual(ends, [{ code: null, how: 'spawn /nowhere/node ENOENT' }])
  })
})
