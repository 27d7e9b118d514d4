import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What nsqd 1.3 answered, by case: lines as `play` returns them. Made by `npm run test:differential -- --record`. */
const PATH = fileURLToPath(new URL('../../differential/recorded/nsqd-1.3.json', import.meta.url))

export type Recording = Readonly<Record<string, readonly string[]>>

export const readRecording = (): Recording => JSON.parse(readFileSync(PATH, 'utf8'))

export function writeRecording(recording: Recording): void {
  writeFileSync(PATH, `${JSON.stringify(recording, null, 1)}\n`)
}
