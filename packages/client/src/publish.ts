import { NsqError } from './errors.js'
import type { Outgoing } from './outgoing.js'

/** What a message may be made of. A string is sent as UTF-8. Bytes are not copied: leave them alone until it is published. */
export type MessageBody = string | Uint8Array

/** One command on its way, and who waits for it. */
export class Publish {
  /** `PUB topic\n`, shared by all of a topic. */
  readonly line: Buffer
  readonly body: MessageBody
  readonly sizeBytes: number
  /** On the clock; it gets no better the later it was called, so the first in a queue is the first to expire. */
  readonly deadlineMs: number
  readonly resolve: () => void
  readonly reject: (error: NsqError) => void
  /** It was sent before, and not answered. */
  isFateUnknown = false

  constructor(
    line: Buffer,
    body: MessageBody,
    sizeBytes: number,
    deadlineMs: number,
    resolve: () => void,
    reject: (error: NsqError) => void,
  ) {
    this.line = line
    this.body = body
    this.sizeBytes = sizeBytes
    this.deadlineMs = deadlineMs
    this.resolve = resolve
    this.reject = reject
  }

  /** It is not sent, or not again. */
  giveUp(error: NsqError): void {
    const detail = 'sent before, not answered, and not sent again'
    this.reject(this.isFateUnknown ? new NsqError('E_FATE_UNKNOWN', detail, { cause: error }) : error)
  }

  writeTo(outgoing: Outgoing): void {
    outgoing.withBody(this.line, this.body, this.sizeBytes)
  }
}

/** @throws NsqError `E_BAD_MESSAGE`: a node would say the same, and close the connection */
export function bodySizeBytes(body: MessageBody): number {
  const sizeBytes = typeof body === 'string' ? Buffer.byteLength(body) : body instanceof Uint8Array ? body.length : -1
  if (sizeBytes > 0) return sizeBytes
  if (sizeBytes === 0) throw new NsqError('E_BAD_MESSAGE', 'a message has at least one byte')
  throw new NsqError('E_BAD_MESSAGE', 'a message is a string, a Buffer or a Uint8Array')
}

/**
 * The body of MPUB, in one buffer:
 *
 * ```
 *   | count i32 | size i32 | message | size i32 | message | …
 * ```
 * @throws NsqError `E_BAD_MESSAGE`
 */
export function encodeBatch(bodies: readonly MessageBody[]): Buffer {
  let totalBytes = 4
  for (const body of bodies) totalBytes += 4 + bodySizeBytes(body)
  const batch = Buffer.allocUnsafe(totalBytes)
  let at = batch.writeInt32BE(bodies.length, 0)
  for (const body of bodies) {
    const bodyAt = at + 4
    if (typeof body === 'string') at = bodyAt + batch.write(body, bodyAt)
    else {
      batch.set(body, bodyAt)
      at = bodyAt + body.length
    }
    batch.writeInt32BE(at - bodyAt, bodyAt - 4)
  }
  return batch
}
