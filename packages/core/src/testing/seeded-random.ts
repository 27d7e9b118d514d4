import type { Random } from '../contracts/clock.js'

/**
 * Random numbers that depend on nothing but the seed: a counter that walks through all 32-bit numbers, scrambled.
 * Good enough to choose among cases; not for secrets or statistics.
 */
export function seededRandom(seed: number): Random {
  let counter = seed >>> 0
  return () => {
    counter = (counter + 0x9e3779b9) >>> 0 // odd, near 2^32 divided by the golden ratio: neighbours land far apart
    let bits = counter
    bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d)
    bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b)
    bits ^= bits >>> 16
    return (bits >>> 0) / 2 ** 32
  }
}

/** A whole number from 0 to `end - 1`. */
export function randomBelow(random: Random, end: number): number {
  return Math.floor(random() * end)
}
