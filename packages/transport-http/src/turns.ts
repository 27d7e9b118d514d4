import type { Clock } from '@spillway/core'

/** Written in one turn; what is longer is written over several, so that messages need not wait for it. */
const CHARS_PER_TURN = 128 * 1024

/** All parts as one text. */
export async function joinInTurns(parts: Iterable<string>, clock: Clock): Promise<string> {
  let text = ''
  let pauseAt = CHARS_PER_TURN
  for (const part of parts) {
    text += part
    if (text.length < pauseAt) continue
    await new Promise<void>((resolve) => clock.inNextTurn(resolve))
    pauseAt = text.length + CHARS_PER_TURN
  }
  return text
}
