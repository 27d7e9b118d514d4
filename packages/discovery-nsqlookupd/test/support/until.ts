import type { FakeClock } from '@spillway/core/testing'

const LIMIT_MS = 5_000
const TURNS = 20

/** Lets the event loop turn until something is so. @throws Error when that takes too long */
export async function until(isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + LIMIT_MS
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`not within ${LIMIT_MS} ms: ${isSo}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Lets sockets of this machine have some turns, where nothing shows that what was sent has been read. */
export async function turns(clock: FakeClock): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await clock.settle()
}
