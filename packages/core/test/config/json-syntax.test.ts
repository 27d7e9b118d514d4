import assert from 'node:assert/strict'
import fc from 'fast-check'
import { findJsonSyntaxError, findRepeatedKeys } from '../../src/config/json-syntax.js'

describe('findJsonSyntaxError', () => {
  const cases: [what: string, text: string, line: number, column: number, found: string, expected: string][] = [
    ['a comma too many', '{\n  "a": 1,\n}', 3, 1, '"}"', 'a key in double quotes'],
    ['a comma too few', '{\n  "a": 1\n  "b": 2\n}', 3, 3, '"\\"b\\""', '"," or "}"'],
    ['a key without quotes', '{ a: 1 }', 1, 3, '"a"', 'a key in double quotes'],
    ['single quotes', "{ 'a': 1 }", 1, 3, '"\'"', 'a key in double quotes'],
    ['a colon too few', '{ "a" 1 }', 1, 7, '"1"', '":"'],
    ['a word that is none', '[true, yes]', 1, 8, '"yes"', 'a value'],
    ['a comment', '{\n  // why\n}', 2, 3, 'a comment, which JSON does not have', 'a key in double quotes'],
    ['an end too early', '{ "a": [1, 2', 1, 13, 'the end of the file', '"," or "]"'],
    ['an empty file', '', 1, 1, 'the end of the file', 'a value'],
    ['text behind the end', '{}\n{}', 2, 1, '"{"', 'the end of the file'],
    ['a string over two lines', '["a\nb"]', 1, 2, '"\\"a"', 'text that ends on its line, with escapes that JSON knows'],
    ['an octal number', '[012]', 1, 3, '"12"', '"," or "]"'],
  ]
  for (const [what, text, line, column, found, expected] of cases) {
    it(`finds ${what}`, () => {
      assert.deepEqual(findJsonSyntaxError(text), { line, column, found, expected })
    })
  }

  it('finds nothing in any JSON', () => {
    fc.assert(fc.property(fc.json(), (text) => assert.equal(findJsonSyntaxError(text), null)))
  })

  it('agrees with JSON.parse on JSON that somebody damaged', () => {
    const damaged = fc.tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', ',', '}', '"', '\\', '\n', '0', '-', '\u007f', 'e'),
    )
    fc.assert(
      fc.property(damaged, ([text, at, insertion]) => {
        const offset = at % (text.length + 1)
        const broken = text.slice(0, offset) + insertion + text.slice(offset + 1)
        assert.equal(findJsonSyntaxError(broken) === null, isJson(broken), broken)
      }),
      { numRuns: 2_000 },
    )
  })
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('findRepeatedKeys', () => {
  it('finds a key that an object has twice, however it is spelt, and not one that two objects have', () => {
    const text = '{\n  "a": { "b": 1 },\n  "c": { "b": [{ "b": 2 }] },\n  "\\u0061": 3\n}'
    assert.deepEqual(findRepeatedKeys(text), [{ line: 4, column: 3, key: 'a' }])
  })
})
