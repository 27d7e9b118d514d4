import assert from 'node:assert/strict'
import { parseOptions } from '../nodes/options.js'
import { UsageError } from '../src/options.js'

const CPU_COUNT = 4

describe('the command line of bench:nodes', () => {
  it('gives the last processor to the clients and the others to the nodes, unless it is told otherwise', () => {
    const options = parseOptions([], CPU_COUNT)
    assert.ok(options !== 'help')
    assert.deepEqual([options.nodeCpus, options.clientCpus], [[0, 1, 2], [3]])
    const one = parseOptions([], 1)
    assert.ok(one !== 'help')
    assert.deepEqual([one.nodeCpus, one.clientCpus], [[0], [0]])
    const given = parseOptions(['--node-cpus=0,2', '--client-cpus', '1,3'], CPU_COUNT)
    assert.ok(given !== 'help')
    assert.deepEqual(
      [given.nodeCpus, given.clientCpus],
      [
        [0, 2],
        [1, 3],
      ],
    )
    const free = parseOptions(['--no-pin'], CPU_COUNT)
    assert.ok(free !== 'help')
    assert.deepEqual([free.nodeCpus, free.clientCpus], [null, null])
  })

  it('refuses what makes no sense', () => {
    for (const args of [['--nodes=1'], ['--node-cpus=4'], ['--storage=tape'], ['--rounds=0'], ['--node=2']]) {
      assert.throws(() => parseOptions(args, CPU_COUNT), UsageError, args.join(' '))
    }
  })
})
