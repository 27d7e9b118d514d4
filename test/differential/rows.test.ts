import assert from 'node:assert/strict'
import { CASES } from './cases/index.js'
import { documentedDifferences, NOT_SHOWN } from './differences.js'
import { ROWS, UNSHOWN } from './rows.js'

describe('the cases of the differential test', () => {
  it('cover every row of the specification, and no other', () => {
    const covered = new Set(CASES.flatMap(({ rows }) => rows))
    assert.deepEqual([...covered].sort(), Object.keys(ROWS).sort())
    for (const row of Object.keys(UNSHOWN)) assert.equal(covered.has(row), false, row)
  })

  it('have a name of their own each', () => {
    const names = CASES.map(({ name }) => name)
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
    )
  })

  it('and those that bytes cannot show, are exactly the differences in docs/compatibility.md', () => {
    const shown = new Set(CASES.map(({ differs }) => differs).filter((differs) => differs !== undefined))
    const known = [...shown, ...Object.keys(NOT_SHOWN)]
    assert.deepEqual(known.toSorted(), documentedDifferences().toSorted())
  })
})
