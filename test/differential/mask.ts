import { createHash } from 'node:crypto'

const KINDS = ['response', 'error', 'message']
/** Size and type. */
export const HEADER_BYTES = 8
const MESSAGE_HEADER_BYTES = 34
const BODY_SHOWN_BYTES_MAX = 1000
const HEARTBEAT = '_heartbeat_'

const kindOf = (frame: Buffer): string => KINDS[frame.readInt32BE(4)] ?? `type ${frame.readInt32BE(4)}`

export function isHeartbeat(frame: Buffer): boolean {
  return kindOf(frame) === 'response' && frame.toString('latin1', HEADER_BYTES) === HEARTBEAT
}

/** Null: it is no message. */
export function messageIdOf(frame: Buffer): string | null {
  return kindOf(frame) === 'message' ? frame.toString('latin1', 18, MESSAGE_HEADER_BYTES) : null
}

/** A frame as text, without times and ids, which differ from run to run. */
export function maskFrame(frame: Buffer): string {
  const kind = kindOf(frame)
  if (kind !== 'message') return `${kind} ${maskIds(frame.toString('latin1', HEADER_BYTES))}`
  return `message attempts ${frame.readUInt16BE(16)} ${shortened(frame.subarray(MESSAGE_HEADER_BYTES))}`
}

/** A long one by its length and its hash. */
function shortened(body: Buffer): string {
  if (body.length <= BODY_SHOWN_BYTES_MAX) return body.toString('latin1')
  return `${body.length} bytes ${createHash('sha256').update(body).digest('hex')}`
}

const maskIds = (text: string): string => text.replace(/^(E_\w+_FAILED \w+) [0-9a-f]{16} /, '$1 ID ')

/** What differs from process to process in an HTTP answer. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/^nsq\.\w+_\d+\.$/, 'nsq.X.'],
  [/^\S+\0--tcp-address\S+$/, 'nsqd X'],
  [/built w\/\w+[\w.]*/g, 'built w/X'],
  [/start_time \S+/g, 'start_time X'],
  [/uptime \S+/g, 'uptime X'],
  [/connected: \S+/g, 'connected: X'],
  [/\[V2 [^\]]*\]/g, '[V2 X]'],
  [/^( {3}(?:heap|gc|next_gc)\w+ +\t)\d+/gm, '$1N'],
  [/"(start_time|connect_ts)":\d+/g, '"$1":N'],
  [/"(remote_address|hostname|broadcast_address)":"[^"]*"/g, '"$1":"X"'],
  [/"(tcp_port|http_port|https_port)":( ?)\d+/g, '"$1":$2N'],
  [/"(heap_\w+|gc_\w+|next_gc_bytes)":\d+/g, '"$1":N'],
  [/"value":\d+/g, '"value":N'],
]

export function maskBody(text: string): string {
  return MASKS.reduce((masked, [pattern, by]) => masked.replace(pattern, by), text)
}
