import { NSQD_FLAGS, type NsqdFlag } from './flags.js'
import { tlsRequirementOf } from './tls-flags.js'
import { isStatsdAddress, type NsqdValues } from './to-config.js'

/** What nsqd refuses to start with, in its words; `null` when nothing is wrong. */
export function refusalOf(values: NsqdValues): string | null {
  const deflateLevel = values['max-deflate-level'] ?? 6
  if (deflateLevel < 1 || deflateLevel > 9) return '--max-deflate-level must be [1,9]'
  const nodeId = values['node-id'] ?? 0
  if (nodeId < 0 || nodeId >= 1024) return '--node-id must be [0,1024)'
  if (!/^(?:get|post)$/.test(values['auth-http-request-method'] ?? 'get')) {
    return '--auth-http-request-method must be post or get'
  }
  const percentile = values['e2e-processing-latency-percentile']?.find(
    (text) => !(Number(text) > 0 && Number(text) <= 1),
  )
  if (percentile !== undefined) return `invalid E2E processing latency percentile: ${percentile}`
  const hasCertificate = Boolean(values['tls-cert']) && Boolean(values['tls-key'])
  if (tlsRequirementOf(values) !== 'none' && !hasCertificate) {
    return 'cannot require TLS client connections without TLS key and cert'
  }
  if (!hasCertificate && (values['tls-cert'] || values['tls-key'])) {
    return 'failed to build TLS config - it takes both --tls-cert and --tls-key'
  }
  if (values['http-auth'] && !values['auth-http-address']?.length) return '--http-auth needs --auth-http-address'
  return null
}

/** A percentile that is no number at all: nsqd has a line of its own for that. */
export function unparsablePercentile(values: NsqdValues): string | undefined {
  return values['e2e-processing-latency-percentile']?.find((text) => !/^\S+$/.test(text) || Number.isNaN(Number(text)))
}

/** One line for each flag that was given, is set to something, and changes nothing. */
export function warningsOf(values: NsqdValues): string[] {
  const flags: Record<string, NsqdFlag> = NSQD_FLAGS
  const lines: string[] = []
  for (const [name, value] of Object.entries(values)) {
    const { effect } = flags[name]
    if (name === 'data-path' && value !== '' && values.storage === 'memory') {
      lines.push('--data-path is not used: this storage keeps messages in memory')
    }
    if (name === 'statsd-address' && value !== '' && !isStatsdAddress(values[name])) {
      lines.push(`--statsd-address=${value} is not used: expected <addr>:<port> with a port from 1 to 65535`)
    }
    if (effect === 'effective' || value === false || value === '') continue
    lines.push(`--${name} has no effect in ${effect === 'never' ? 'Spillway' : 'this version'}`)
  }
  return lines
}
