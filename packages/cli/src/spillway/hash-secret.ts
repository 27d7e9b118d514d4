import { hashSecret } from '@spillway/auth-static'
import type { Output } from '../output.js'

/** No secret is longer; what is piped in by mistake may be. */
const SECRET_BYTES_MAX = 64 * 1024

/** `spillway hash-secret`: reads a secret from standard input and prints what the configuration holds of it. @returns the exit code */
export async function hashSecretFromInput(input: AsyncIterable<Buffer>, output: Output): Promise<number> {
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of input) {
    sizeBytes += part.length
    if (sizeBytes > SECRET_BYTES_MAX) {
      output.err(`spillway: a secret of more than ${SECRET_BYTES_MAX} bytes\n`)
      return 1
    }
    parts.push(part)
  }
  const secret = Buffer.concat(parts)
    .toString()
    .replace(/\r?\n$/, '')
  if (secret === '') {
    output.err('spillway: no secret on standard input; try: echo -n SECRET | spillway hash-secret\n')
    return 1
  }
  output.out(`${await hashSecret(secret)}\n`)
  return 0
}
