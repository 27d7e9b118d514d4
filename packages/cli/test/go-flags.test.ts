import assert from 'node:assert/strict'
import { type GoFlag, parseGoFlags, UsageError } from '../src/go-flags.js'
import { parseGoBoolean, parseGoInteger } from '../src/go-values.js'

const base = { usage: '', valueName: 'value', defaultText: '', isBoolean: false, isRepeatable: false }
const FLAGS = {
  name: { ...base, parse: (text: string) => text } as GoFlag<string>,
  count: { ...base, parse: parseGoInteger } as GoFlag<number>,
  on: { ...base, isBoolean: true, parse: parseGoBoolean } as GoFlag<boolean>,
  peer: { ...base, isRepeatable: true, parse: (text: string) => [text] } as GoFlag<string[]>,
}

const parse = (...args: string[]) => parseGoFlags(FLAGS, args)
const complaint = (...args: string[]): string => {
  try {
    parse(...args)
  } catch (error) {
    assert.ok(error instanceof UsageError)
    return error.message
  }
  assert.fail('nothing was wrong')
}

describe('parseGoFlags', () => {
  it('takes one dash or two, with = or the next argument', () => {
    for (const args of [['--name=x'], ['-name=x'], ['--name', 'x'], ['-name', 'x']]) {
      assert.deepEqual(parse(...args).values, { name: 'x' }, args.join(' '))
    }
  })

  it('takes everything after the first = as the value', () => {
    assert.deepEqual(parse('--name=a=b=', '-count', '-5').values, { name: 'a=b=', count: -5 })
    assert.deepEqual(parse('--name=').values, { name: '' })
    assert.deepEqual(parse('--name', '--count').values, { name: '--count' })
  })

  it('takes a bare boolean for true, and never the next argument for its value', () => {
    assert.deepEqual(parse('--on', '--count=1').values, { on: true, count: 1 })
    assert.deepEqual(parse('--on=false').values, { on: false })
    assert.deepEqual(parse('--on', 'false', '--count=1'), {
      values: { on: true },
      texts: { on: 'true' },
      rest: ['false', '--count=1'],
      wantsHelp: false,
    })
  })

  it('keeps every value of a repeatable flag, and the last of any other', () => {
    const { values } = parse('--peer=a', '--name=a', '--peer', 'b', '--name=b')
    assert.deepEqual(values, { peer: ['a', 'b'], name: 'b' })
  })

  it('ends at --, at a lone dash and at the first argument that is no flag', () => {
    assert.deepEqual(parse('--on', '--', '--count=1').rest, ['--count=1'])
    assert.deepEqual(parse('-', '--count=1').rest, ['-', '--count=1'])
  })

  it('knows -h and --help', () => {
    for (const help of ['-h', '--h', '-help', '--help']) assert.equal(parse('--count=1', help).wantsHelp, true, help)
  })

  it('refuses what it does not know, what misses its value and what makes no sense', () => {
    assert.equal(complaint('--nmae=x'), 'flag provided but not defined: -nmae')
    assert.equal(complaint('--toString'), 'flag provided but not defined: -toString')
    assert.equal(complaint('--name'), 'flag needs an argument: -name')
    assert.equal(complaint('---name'), 'bad flag syntax: ---name')
    assert.equal(complaint('--=x'), 'bad flag syntax: --=x')
    assert.equal(complaint('--count=many'), 'invalid value "many" for flag -count: parse error')
    assert.equal(complaint('--on=maybe'), 'invalid boolean value "maybe" for flag -on: parse error')
  })
})
