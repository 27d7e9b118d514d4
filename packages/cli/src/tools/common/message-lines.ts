import type { Message } from '@spillway/client'

/** What is written of a message. */
export type Line = Pick<Message, 'bodySizeBytes' | 'copyBody'>

const NEWLINE = 0x0a

/** The bodies of messages, each with `prefix` before it and a newline behind it, in one buffer: one write for all of them. */
export function messageLines(messages: readonly Line[], prefix = ''): Buffer {
  const before = Buffer.from(prefix)
  let sizeBytes = 0
  for (const message of messages) sizeBytes += before.length + message.bodySizeBytes + 1
  const lines = Buffer.allocUnsafe(sizeBytes)
  let at = 0
  for (const message of messages) {
    at += before.copy(lines, at)
    at = message.copyBody(lines, at)
    lines[at++] = NEWLINE
  }
  return lines
}
