import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { BrokerError, ERRORS } from '../src/errors.js'

/** The rows of docs/errors.md: code, meaning, fatal, retryable, what to do. */
function documentedErrors(): string[][] {
  const text = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8')
  const rows = text.split('\n').filter((line) => line.startsWith('| `E_'))
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

describe('docs/errors.md', () => {
  it('has every code once, and no other', () => {
    const codes = documentedErrors().map(([code]) => code.replaceAll('`', ''))
    assert.deepEqual(codes.toSorted(), Object.keys(ERRORS).toSorted())
  })

  it('says of each whether it is fatal and retryable, as the broker behaves', () => {
    const yesNo = (value: boolean): string => (value ? 'yes' : 'no')
    const documented = documentedErrors().map(([code, , fatal, retryable]) => [code, fatal, retryable])
    const behaviour = new Map(
      Object.entries(ERRORS).map(([code, { fatal, retryable }]) => [`\`${code}\``, [yesNo(fatal), yesNo(retryable)]]),
    )
    for (const [code, ...columns] of documented) assert.deepEqual(columns, behaviour.get(code), code)
  })

  it('says of each what it means and what to do', () => {
    for (const [code, meaning, , , remedy] of documentedErrors()) {
      assert.ok(meaning.length > 10 && remedy.length > 10, code)
    }
  })
})

describe('BrokerError', () => {
  it('carries code, detail and cause, and says code and detail in its message', () => {
    const cause = new Error('disk')
    const error = new BrokerError('E_STORAGE_IO', 'write failed', { cause })
    assert.deepEqual(
      [error.code, error.detail, error.message, error.cause],
      ['E_STORAGE_IO', 'write failed', 'E_STORAGE_IO write failed', cause],
    )
  })

  it('is its code alone where there is nothing to add', () => {
    assert.equal(new BrokerError('E_BAD_PROTOCOL', '').message, 'E_BAD_PROTOCOL')
  })
})
