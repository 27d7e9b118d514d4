import type { StatsdMetric } from './metrics.js'

/** Lines gathered into packets of at most `sizeBytesMax`; a line that is longer is a packet of its own. */
export function* packetsOf(metrics: Iterable<StatsdMetric>, prefix: string, sizeBytesMax: number): Generator<string> {
  let packet = ''
  for (const { name, value, type } of metrics) {
    const line = `${prefix}${name}:${value}|${type}\n`
    // Names and prefixes of topics are ASCII; a prefix that is not makes packets a little longer.
    if (packet !== '' && packet.length + line.length > sizeBytesMax) {
      yield packet
      packet = ''
    }
    packet += line
  }
  if (packet !== '') yield packet
}
