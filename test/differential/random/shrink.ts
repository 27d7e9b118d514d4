/**
 * A smaller list of the same items, in their order, for which `fails` is still true: first halves are left out, then
 * ever shorter runs, until no single item can go.
 *
 * @param triesMax - how often `fails` is asked
 */
export async function shrink<T>(
  items: readonly T[],
  fails: (fewer: readonly T[]) => Promise<boolean>,
  triesMax: number,
): Promise<readonly T[]> {
  let kept = items
  let triesLeft = triesMax
  for (let runLength = Math.ceil(kept.length / 2); runLength > 0; ) {
    let hasShrunk = false
    for (let start = 0; start < kept.length && triesLeft > 0; ) {
      const fewer = [...kept.slice(0, start), ...kept.slice(start + runLength)]
      triesLeft--
      if (fewer.length > 0 && (await fails(fewer))) {
        kept = fewer
        hasShrunk = true
      } else {
        start += runLength
      }
    }
    if (triesLeft === 0) break
    if (!hasShrunk || runLength > kept.length) runLength = Math.min(runLength - 1, Math.floor(runLength / 2))
  }
  return kept
}
