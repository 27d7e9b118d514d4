import type { AuthRequest } from '@spillway/core'

/** What stays as it is in Go's query strings, of which nsqd makes its own. */
const UNRESERVED = /[A-Za-z0-9\-_.~]/

/** What auth servers are asked, in a query. A secret goes there byte by byte, whether it is text or not. */
export function queryOf({ secret, remoteIp, tls, commonName }: AuthRequest): string {
  return [
    `common_name=${percentEncode(Buffer.from(commonName))}`,
    `remote_ip=${percentEncode(Buffer.from(remoteIp))}`,
    `secret=${percentEncode(secret)}`,
    `tls=${tls}`,
  ].join('&')
}

/** The same as JSON, each value a list of one. Its secret is text: what is none has U+FFFD there, as nsqd sends it. */
export function bodyOf({ secret, remoteIp, tls, commonName }: AuthRequest): string {
  return JSON.stringify({
    common_name: [commonName],
    remote_ip: [remoteIp],
    secret: [Buffer.from(secret).toString()],
    tls: [String(tls)],
  })
}

function percentEncode(bytes: Uint8Array): string {
  let escaped = ''
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte)
    if (UNRESERVED.test(letter)) escaped += letter
    else if (letter === ' ') escaped += '+'
    else escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}
