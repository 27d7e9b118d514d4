import { BrokerError } from '@spillway/core'
import { type JsonMemberSink, JsonScanner } from './json-scanner.js'

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
/** Of the names above, in quotes. */
const KEY_SIZE_BYTES_MIN = 8
/** Every character of the longest name may be written as six. */
const KEY_SIZE_BYTES_MAX = 6 * 21 + 2
const WHOLE_NUMBER = /^-?[0-9]+$/
/** Digits of the longest number that its type in nsqd may hold. */
const INT64_DIGITS_MAX = 19

/**
 * Decodes the body of IDENTIFY while it arrives, as Go does: keys in any case, the last one wins, unknown ones are
 * ignored, a known one of another type spoils the whole, and so does a whole number that is written with a fraction or
 * an exponent.
 */
export class IdentifyDecoder implements JsonMemberSink {
  readonly #scanner = new JsonScanner(this)
  readonly #request: IdentifyRequest = { ...NOTHING }
  /** The member at hand, if it is a known one. */
  #field: keyof IdentifyRequest | null = null
  #isGood = true

  /** Goes on with what has arrived: the first `haveBytes` of the body, from `bytes[start]`. */
  advance(bytes: Buffer, start: number, haveBytes: number): void {
    this.#scanner.advance(bytes, start, haveBytes)
  }

  /** What it said, all of it having arrived. @throws BrokerError `E_BAD_BODY` */
  finish(): IdentifyRequest {
    if (this.#isGood && this.#scanner.isWhole) return this.#request
    throw new BrokerError('E_BAD_BODY', 'IDENTIFY failed to decode JSON body')
  }

  key(bytes: Buffer, start: number, end: number): void {
    const sizeBytes = end - start
    const mayBeKnown = sizeBytes >= KEY_SIZE_BYTES_MIN && sizeBytes <= KEY_SIZE_BYTES_MAX
    this.#field = mayBeKnown ? fieldNamed(JSON.parse(bytes.toString('utf8', start, end))) : null
  }

  value(bytes: Buffer, start: number, end: number): void {
    if (this.#field === null) return
    const isNull = bytes[start] === 0x6e
    if (!isNull && !this.#set(this.#field, bytes.toString('utf8', start, end))) this.#isGood = false
  }

  #set(field: keyof IdentifyRequest, json: string): boolean {
    const fields = this.#request as unknown as Record<string, unknown>
    const kind = typeof NOTHING[field]
    if (kind === 'number') {
      if (!isInteger(json, field === 'sample_rate' ? 32 : 64)) return false
      // `+ 0`: minus zero is zero. Beyond 2^53 the last digits get lost; such a number is out of every range anyway.
      fields[field] = Number(json) + 0
    } else if (kind === 'string') {
      if (!json.startsWith('"')) return false
      // Half of a surrogate pair is no text: through UTF-8 it becomes what Go makes of it, U+FFFD.
      fields[field] = Buffer.from(JSON.parse(json)).toString()
    } else {
      if (json !== 'true' && json !== 'false') return false
      fields[field] = json === 'true'
    }
    return true
  }
}

function fieldNamed(key: string): keyof IdentifyRequest | null {
  // Up and down again, since Go takes ſ for an s and K (the Kelvin sign) for a k.
  const field = key.toUpperCase().toLowerCase()
  return Object.hasOwn(NOTHING, field) ? (field as keyof IdentifyRequest) : null
}

function isInteger(text: string, bitCount: number): boolean {
  if (text.length > INT64_DIGITS_MAX + 1 || !WHOLE_NUMBER.test(text)) return false
  return BigInt.asIntN(bitCount, BigInt(text)) === BigInt(text)
}
