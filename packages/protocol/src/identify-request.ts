import { BrokerError } from '@spillway/core'
import { type JsonKind, readJsonMembers } from './json-members.js'

/** The body of IDENTIFY; what is absent or `null` is `''`, `false` or 0. */
export interface IdentifyRequest {
  client_id: string
  hostname: string
  user_agent: string
  feature_negotiation: boolean
  heartbeat_interval: number
  output_buffer_size: number
  output_buffer_timeout: number
  tls_v1: boolean
  snappy: boolean
  deflate: boolean
  deflate_level: number
  sample_rate: number
  msg_timeout: number
  topology_region: string
  topology_zone: string
}

const NOTHING: IdentifyRequest = {
  client_id: '',
  hostname: '',
  user_agent: '',
  feature_negotiation: false,
  heartbeat_interval: 0,
  output_buffer_size: 0,
  output_buffer_timeout: 0,
  tls_v1: false,
  snappy: false,
  deflate: false,
  deflate_level: 0,
  sample_rate: 0,
  msg_timeout: 0,
  topology_region: '',
  topology_zone: '',
}
const WHOLE_NUMBER = /^-?[0-9]+$/
/** Digits of the longest number that its type in nsqd may hold. */
const INT64_DIGITS_MAX = 19

/**
 * Decodes the body as Go does: keys in any case, the last one wins, unknown ones are ignored, a known one of another
 * type spoils the whole, and so does a whole number that is written with a fraction or an exponent.
 *
 * @throws BrokerError `E_BAD_BODY`
 */
export function parseIdentifyRequest(body: Buffer): IdentifyRequest {
  const request = { ...NOTHING }
  let isGood = true
  const isJson = readJsonMembers(body.toString('utf8'), (key, kind, value) => {
    const field = fieldNamed(key)
    if (field !== null && kind !== 'null' && !setField(request, field, kind, value)) isGood = false
  })
  if (!isJson || !isGood) throw new BrokerError('E_BAD_BODY', 'IDENTIFY failed to decode JSON body')
  return request
}

function fieldNamed(key: string): keyof IdentifyRequest | null {
  // Up and down again, since Go takes ſ for an s and K (the Kelvin sign) for a k.
  const field = key.toUpperCase().toLowerCase()
  return Object.hasOwn(NOTHING, field) ? (field as keyof IdentifyRequest) : null
}

function setField(request: IdentifyRequest, field: keyof IdentifyRequest, kind: JsonKind, value: string): boolean {
  const fields: Record<string, unknown> = request as unknown as Record<string, unknown>
  if (typeof NOTHING[field] !== kind) return false
  if (kind !== 'number') {
    const decoded: unknown = JSON.parse(value)
    // Half of a surrogate pair is no text: through UTF-8 it becomes what Go makes of it, U+FFFD.
    fields[field] = typeof decoded === 'string' ? Buffer.from(decoded).toString() : decoded
    return true
  }
  if (!isInteger(value, field === 'sample_rate' ? 32 : 64)) return false
  // `+ 0`: minus zero is zero. Beyond 2^53 the last digits get lost; such a number is out of every range anyway.
  fields[field] = Number(value) + 0
  return true
}

function isInteger(text: string, bitCount: number): boolean {
  if (!WHOLE_NUMBER.test(text) || text.length > INT64_DIGITS_MAX + 1) return false
  return BigInt.asIntN(bitCount, BigInt(text)) === BigInt(text)
}
