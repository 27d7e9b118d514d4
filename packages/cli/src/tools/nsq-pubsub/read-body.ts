import type { IncomingMessage } from 'node:http'
import { HttpError } from './http-error.js'

/** @throws HttpError 413, as soon as it is known that the body is larger than it may be */
export async function readBody(request: IncomingMessage, sizeBytesMax: number): Promise<Buffer> {
  const tooLarge = (): HttpError => new HttpError(413, 'MSG_TOO_BIG', { connection: 'close' })
  if (Number(request.headers['content-length'] ?? 0) > sizeBytesMax) throw tooLarge()
  const chunks: Buffer[] = []
  let sizeBytes = 0
  // The request is not destroyed by leaving the loop: then nobody would read why.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > sizeBytesMax) throw tooLarge()
    chunks.push(chunk)
  }
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
}
