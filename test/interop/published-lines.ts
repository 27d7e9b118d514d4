import assert from 'node:assert/strict'
import { DeliveryLedger } from './delivery-ledger.js'
import { bodyOf } from './message-plan.js'

/** Messages 0 to `messageCount` - 1, each on a line of its own. */
export function plannedLines(messageCount: number): string {
  return Array.from({ length: messageCount }, (_, serial) => `${bodyOf(serial)}\n`).join('')
}

/** The lines of what a program has written; the last one must be whole too. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n')
  assert.equal(lines.pop(), '', 'the last line is torn')
  return lines
}

/** Throws unless the lines are messages 0 to `messageCount` - 1, in whatever order, each once. */
export function assertEachOnce(lines: readonly string[], messageCount: number): void {
  const ledger = new DeliveryLedger(messageCount)
  for (const line of lines) ledger.finish(ledger.deliver(Buffer.from(line), 1))
  assert.equal(ledger.finishedCount, messageCount)
}
