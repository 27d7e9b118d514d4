import { NSQD_FLAGS, type NsqdFlag } from './flags.js'
import type { NsqdValues } from './to-config.js'

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
  if (isTlsRequired(values) && !hasCertificate) return 'cannot require TLS client connections without TLS key and cert'
  return unprotectedReason(values)
}

/** A file that is not read may ask for TLS or authentication as well, so nothing starts without it. `null`: none is named. */
export function configFileRefusal({ config }: NsqdValues): string | null {
  if (!config) return null
  return `failed to load config file ${config} - configuration files are not supported in this version; give the flags instead`
}

/** A percentile that is no number at all: nsqd has a line of its own for that. */
export function unparsablePercentile(values: NsqdValues): string | undefined {
  return values['e2e-processing-latency-percentile']?.find((text) => text.trim() === '' || Number.isNaN(Number(text)))
}

/** A client certificate policy, whatever it is, makes nsqd require TLS. */
function isTlsRequired(values: NsqdValues): boolean {
  return (values['tls-required'] ?? false) !== false || Boolean(values['tls-client-auth-policy'])
}

/** Who asks for protection that is not built yet must not run open without noticing: a warning would not do. */
function unprotectedReason(values: NsqdValues): string | null {
  if (isTlsRequired(values)) return 'TLS is required, and this version has no TLS'
  const certificate = (['tls-cert', 'tls-key'] as const).find((name) => Boolean(values[name]))
  if (certificate !== undefined) return `--${certificate} is set, and this version has no TLS`
  if (values['auth-http-address'] !== undefined)
    return '--auth-http-address is set, and this version has no authentication'
  return null
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
    if (effect === 'effective' || value === false || value === '') continue
    if (name === 'https-address') continue // nothing listens there in nsqd either, without the certificate that is refused
    lines.push(`--${name} has no effect in ${effect === 'never' ? 'Spillway' : 'this version'}`)
  }
  return lines
}
