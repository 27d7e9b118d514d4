import type { IncomingMessage } from 'node:http'

// A door of its own: those who only ask load nothing else of this package.

/**
 * The whole body of what a server answered, which is kept in memory.
 * @throws Error when it has more than `sizeBytesMax` bytes, or breaks off
 */
export async function readAnswer(response: IncomingMessage, sizeBytesMax: number): Promise<string> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    sizeBytes += part.length
    if (sizeBytes > sizeBytesMax) throw new Error(`its answer has more than ${sizeBytesMax} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}
