import assert from 'node:assert/strict'
import { type BenchOptions, helpText, parseOptions, UsageError } from '../src/options.js'
import { SCENARIOS } from '../src/scenarios/index.js'
import { splitCommand } from '../src/subject.js'

function parse(...args: string[]): BenchOptions {
  const options = parseOptions(args, SCENARIOS)
  assert.notEqual(options, 'help')
  return options as BenchOptions
}

const names = (options: BenchOptions) => options.scenarios.map(({ name }) => name)

describe('the command line', () => {
  it('measures the figures, not the limits, unless told otherwise', () => {
    assert.ok(names(parse()).includes('consume'))
    assert.ok(!names(parse()).includes('topics'))
    assert.deepEqual(names(parse('--only', 'limits')), ['start', 'topics', 'stalled'])
    assert.deepEqual(names(parse('--only', 'streams')), ['consume-tls', 'consume-deflate', 'consume-snappy'])
    assert.deepEqual(names(parse('--only', 'durable')), ['backlog', 'restart-topics', 'deferred', 'stuck', 'requeued'])
    assert.deepEqual(names(parse('--only', 'pub2,mpub')), ['mpub', 'pub2'])
    assert.equal(names(parse('--smoke')).length, SCENARIOS.length)
  })

  it('puts no probe into a broker unless told to', () => {
    assert.equal(parse().loop, false)
    assert.equal(parse('--loop').loop, true)
  })

  it('rounds messages to whole batches', () => {
    assert.equal(parse('--messages', '2999').scale.messageCount, 2000)
    assert.equal(parse('--messages', '1').scale.messageCount, 2000)
  })

  it('takes a number of messages for every scenario, which otherwise have their own', () => {
    assert.ok(parse().scale.backlogMessageCount > parse().scale.messageCount)
    const { scale } = parse('--messages', '40000')
    const counts = [scale.messageCount, scale.backlogMessageCount, scale.passingMessageCount, scale.dueMessageCount]
    assert.deepEqual(counts, [40_000, 40_000, 40_000, 4000])
  })

  it('says what is wrong', () => {
    assert.throws(
      () => parse('--only', 'nonsense'),
      new UsageError(`--only: there is no "nonsense"; there are ${known()}`),
    )
    assert.throws(() => parse('--rounds', 'many'), new UsageError('--rounds is a number above 0, not "many"'))
    assert.throws(
      () => parse('--mode', 'tape'),
      new UsageError('--mode is one of memory, disk, durable-vs-memory, not "tape"'),
    )
    assert.throws(() => parse('--fast'), UsageError)
  })

  it('explains every scenario', () => {
    assert.equal(parseOptions(['--help'], SCENARIOS), 'help')
    for (const { title } of SCENARIOS) assert.ok(helpText(SCENARIOS).includes(title))
  })

  it('splits commands at spaces outside quotes', () => {
    assert.deepEqual(splitCommand(`node "a b/c.js" --x='1' 'd e'`), ['node', 'a b/c.js', `--x='1'`, 'd e'])
  })
})

const known = () => ['all', 'figures', 'streams', 'limits', 'durable', ...SCENARIOS.map(({ name }) => name)].join(', ')
