export const MAGIC = '  V1'

export const INFO = {
  broadcast_address: 'one.test',
  hostname: 'one',
  tcp_port: 4150,
  http_port: 4151,
  version: '1.3.0',
}

/** An IDENTIFY command with a body; by default that of an nsqd. */
export function identify(body: object | string = INFO): Buffer {
  const json = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body), 'latin1')
  return Buffer.concat([Buffer.from('IDENTIFY\n'), int32(json.length), json])
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** Texts are one byte a letter. */
export function join(...parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)))
}

/** Answers, each behind its length. @throws Error where they do not come out even */
export function parseAnswers(bytes: Buffer): string[] {
  const answers: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at)
    if (end > bytes.length) throw new Error(`an answer is cut off at ${at} of ${bytes.length}`)
    answers.push(bytes.toString('latin1', at + 4, end))
    at = end
  }
  return answers
}
