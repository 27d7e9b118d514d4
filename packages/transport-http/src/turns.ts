import type { Clock } from '@spillway/core'

/** Written in one turn; what is longer is written over several, so that messages need not wait for it. */
const CHARS_PER_TURN = 64 * 1024

/** All parts as bytes, in order. They stay in pieces: to join what is long would take a turn too long. */
export async function encodeInTurns(parts: Iterable<string>, clock: Clock): Promise<Buffer[]> {
  const pieces: Buffer[] = []
  let text = ''
  for (const part of parts) {
    text += part
    if (text.length < CHARS_PER_TURN) continue
    pieces.push(Buffer.from(text))
    text = ''
    await new Promise<void>((resolve) => clock.inNextTurn(resolve))
  }
  pieces.push(Buffer.from(text))
  return pieces
}

export function sizeBytesOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sizeBytes, piece) => sizeBytes + piece.length, 0)
}
