// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax under test
import assert from 'node:assert/strict'
import { substituteEnvironment } from '../../src/config/substitute.js'

const env = { HOST: 'broker-1', PORT: '4150', EMPTY: '' }
const substitute = (value: unknown): unknown => substituteEnvironment(value, env, 'f.json').value

describe('substituteEnvironment', () => {
  it('puts variables into strings at any depth, several in one string', () => {
    const value = { a: [{ address: '${HOST}:${PORT}' }], n: 1, t: true, z: null }
    assert.deepEqual(substitute(value), { a: [{ address: 'broker-1:4150' }], n: 1, t: true, z: null })
  })

  it('takes the default where the variable is not set, or empty', () => {
    assert.equal(substitute('${NONE:-x}'), 'x')
    assert.equal(substitute('${EMPTY:-x}'), 'x')
    assert.equal(substitute('${HOST:-x}'), 'broker-1')
    assert.equal(substitute('[${NONE:-}]'), '[]')
    assert.equal(substitute('[${EMPTY}]'), '[]')
  })

  it('leaves keys, plain dollars and escaped references alone', () => {
    assert.deepEqual(substitute({ '${HOST}': '$5 $HOST' }), { '${HOST}': '$5 $HOST' })
    assert.equal(substitute('$${HOST}'), '${HOST}')
  })

  it('tells every variable that is not set and has no default, with its place', () => {
    const { problems } = substituteEnvironment({ 'a/b': '${NONE}', c: ['${NADA}'] }, env, 'f.json')
    assert.deepEqual(
      problems.map(({ pointer, found }) => [pointer, found]),
      [
        ['/a~1b', '"${NONE}"'],
        ['/c/0', '"${NADA}"'],
      ],
    )
  })

  it('tells a reference that is not well formed', () => {
    const { problems } = substituteEnvironment(['${HOST', '${}', '${1A}', '${HOST:x}'], env, 'f.json')
    assert.deepEqual(
      problems.map(({ found }) => found),
      ['"${HOST"', '"${}"', '"${1A}"', '"${HOST:x}"'],
    )
  })

  it('remembers what stood where, so that values need not be shown', () => {
    const { substituted } = substituteEnvironment({ secret: '${HOST}', plain: 'x' }, env, 'f.json')
    assert.deepEqual([...substituted], [['/secret', '${HOST}']])
  })
})
