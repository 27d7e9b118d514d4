const KINDS = ['response', 'error', 'message']
const HEADER_BYTES = 8
const MESSAGE_HEADER_BYTES = 34

/** A frame as text, without times and ids, which differ from run to run. */
export function maskFrame(frame: Buffer): string {
  const kind = KINDS[frame.readInt32BE(4)] ?? `type ${frame.readInt32BE(4)}`
  if (kind !== 'message') return `${kind} ${maskIds(frame.toString('latin1', HEADER_BYTES))}`
  return `message attempts ${frame.readUInt16BE(16)} ${frame.toString('latin1', MESSAGE_HEADER_BYTES)}`
}

const maskIds = (text: string): string => text.replace(/\b[0-9a-f]{16}\b/g, 'ID')

/** What differs from process to process in an HTTP answer. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/built w\/\w+[\w.]*/g, 'built w/X'],
  [/start_time \S+/g, 'start_time X'],
  [/uptime \S+/g, 'uptime X'],
  [/connected: \S+/g, 'connected: X'],
  [/\[V2 [^\]]*\]/g, '[V2 X]'],
  [/^( {3}(?:heap|gc|next_gc)\w+ +\t)\d+/gm, '$1N'],
  [/"(start_time|connect_ts)":\d+/g, '"$1":N'],
  [/"(remote_address|hostname|broadcast_address)":"[^"]*"/g, '"$1":"X"'],
  [/"(tcp_port|http_port)":\d+/g, '"$1":N'],
  [/"(heap_\w+|gc_\w+|next_gc_bytes)":\d+/g, '"$1":N'],
  [/"value":\d+/g, '"value":N'],
]

export function maskBody(text: string): string {
  return MASKS.reduce((masked, [pattern, by]) => masked.replace(pattern, by), maskIds(text))
}
