import { setTimeout as sleep } from 'node:timers/promises'
import { patchSentAt, patchSerial } from './body.js'
import type { Connection } from './connection.js'
import { prepareCommand } from './publisher.js'

export interface PaceOptions {
  readonly topic: string
  readonly tag: number
  readonly bodySizeBytes: number
  readonly messageCount: number
  /** Serial number of the first message: 0 when absent. */
  readonly firstSerial?: number
  readonly ratePerSecond: number
}

/**
 * Publishes at a fixed rate, whatever the broker does: PUBs are written when they are due and their replies are not
 * waited for, so that a slow broker cannot slow the clock that it is measured by. Timers fire about every millisecond;
 * what is due by then goes out as single PUBs in one write for each connection in turn.
 *
 * A body carries the moment at which it was written.
 */
export async function publishAtRate(connections: readonly Connection[], options: PaceOptions): Promise<void> {
  const { messageCount, ratePerSecond, bodySizeBytes } = options
  const firstSerial = options.firstSerial ?? 0
  const pattern = prepareCommand({ ...options, count: 1 })
  const startedAtMs = performance.now()
  let sentCount = 0
  while (sentCount < messageCount) {
    const dueCount = Math.min(messageCount, Math.floor(((performance.now() - startedAtMs) * ratePerSecond) / 1000))
    let share = Math.ceil((dueCount - sentCount) / connections.length)
    for (const connection of connections) {
      share = Math.min(share, dueCount - sentCount)
      if (share === 0) break
      connection.write(commands(pattern.bytes, pattern.firstBodyAt, bodySizeBytes, firstSerial + sentCount, share))
      sentCount += share
    }
    await sleep(1)
  }
}

function commands(pattern: Buffer, bodyAt: number, bodySizeBytes: number, firstSerial: number, count: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(pattern.length * count)
  const view = new DataView(bytes.buffer)
  const nowMs = performance.now()
  for (let i = 0; i < count; i++) {
    const at = i * pattern.length
    pattern.copy(bytes, at)
    patchSerial(view, at + bodyAt, bodySizeBytes, firstSerial + i)
    patchSentAt(view, at + bodyAt, nowMs)
  }
  return bytes
}
