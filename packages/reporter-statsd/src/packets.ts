import type { StatsdMetric } from './metrics.js'

/** Lines that are sent together. */
export interface Packet {
  readonly text: string
  readonly lineCount: number
}

/** Lines gathered into packets of at most `sizeBytesMax`; a line that is longer is a packet of its own. */
export function* packetsOf(
  metrics: Iterable<StatsdMetric>,
  prefix: string,
  sizeBytesMax: number,
): Generator<Packet, void, undefined> {
  let text = ''
  let lineCount = 0
  for (const { name, value, type } of metrics) {
    const line = `${prefix}${name}:${value}|${type}\n`
    // Names and prefixes of topics are ASCII; a prefix that is not makes packets a little longer.
    if (text !== '' && text.length + line.length > sizeBytesMax) {
      yield { text, lineCount }
      text = ''
      lineCount = 0
    }
    text += line
    lineCount++
  }
  if (text !== '') yield { text, lineCount }
}
