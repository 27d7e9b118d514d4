import assert from 'node:assert/strict'
import type { Case } from './case.js'

/** Holds what ours answered against what nsqd did: the same, or different where the case says so. */
export function compare({ name, differs }: Case, ours: readonly string[], original: readonly string[]): void {
  if (differs === undefined) {
    assert.deepEqual(ours, original)
  } else {
    assert.notDeepEqual(ours, original, `${name}: no difference any more; see "${differs}" in docs/compatibility.md`)
  }
}
