import { setTimeout as pause } from 'node:timers/promises'

const PROBE_INTERVAL_MS = 10

/**
 * Asks `probe` again and again until it answers something other than `undefined`, for what gives no event of its own
 * (another process's counters, a port that opens). Rejects after `limitMs`, with the last error of the probe as cause.
 */
export async function eventually<T>(
  probe: () => Promise<T | undefined> | T | undefined,
  limitMs: number,
  what: string,
): Promise<T> {
  const endMs = performance.now() + limitMs
  let cause: unknown
  do {
    try {
      const answer = await probe()
      if (answer !== undefined) return answer
    } catch (error) {
      cause = error
    }
    await pause(PROBE_INTERVAL_MS)
  } while (performance.now() < endMs)
  throw new Error(`${what}: not within ${limitMs} ms`, { cause })
}
