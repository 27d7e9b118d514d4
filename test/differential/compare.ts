import assert from 'node:assert/strict'
import type { Case } from './case.js'
import { TAKEN_BACK } from './differences.js'

/** Holds what ours answered against what nsqd did: the same, or different where the case says so, and only there. */
export function compare({ name, differs }: Case, ours: readonly string[], original: readonly string[]): void {
  if (differs === undefined) {
    assert.deepEqual(ours, original)
    return
  }
  assert.notDeepEqual(ours, original, `${name}: no difference any more; see "${differs}" in docs/compatibility.md`)
  const takeBack = TAKEN_BACK[differs]
  if (takeBack !== undefined) assert.deepEqual(ours.map(takeBack), original)
}
