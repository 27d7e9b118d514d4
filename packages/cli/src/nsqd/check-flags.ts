import { readdirSync, statSync } from 'node:fs'
import { nearest } from '@spillway/core/node'
import { NSQD_FLAGS, type NsqdFlag } from './flags.js'
import { TLS_POLICIES, tlsRequirementOf } from './tls-flags.js'
import { isPeerAddress, type NsqdValues } from './to-config.js'

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
    if (name === 'tls-client-auth-policy') lines.push(...policyWarnings(String(value)))
    if (name === 'statsd-address' || name === 'lookupd-tcp-address') {
      lines.push(...addressWarnings(name, [values[name] ?? ''].flat()))
    }
    if (effect === 'effective' || value === false || value === '') continue
    lines.push(`--${name} has no effect in Spillway`)
  }
  return lines
}

function addressWarnings(name: string, addresses: readonly string[]): string[] {
  const unusable = addresses.filter((address) => address !== '' && !isPeerAddress(address))
  const expected = 'expected <addr>:<port> with a port from 1 to 65535'
  return unusable.map((address) => `--${name}=${address} is not used: ${expected}`)
}

/** nsqd takes any word, and lets everybody in without a certificate; whoever misspelt one should know. */
function policyWarnings(policy: string): string[] {
  if (policy === '' || TLS_POLICIES.includes(policy)) return []
  const close = nearest(policy, TLS_POLICIES)
  const guess = close === undefined ? `expected one of ${TLS_POLICIES.join(', ')}` : `did you mean "${close}"?`
  return [`--tls-client-auth-policy: "${policy}" asks clients for no certificate, everybody is let in; ${guess}`]
}

/** What shows that a folder is the data path of an nsqd whose list of topics is missing. */
const QUEUE_FILE = /\.diskqueue\.(?:meta|\d{6})\.dat$/

/** What nsqd, too, does not do: make the folder that it was given. Its disk may not be mounted. `null` when all is well. */
export function dataPathRefusal(values: NsqdValues): string | null {
  const path = values['data-path']
  if (!path || values.storage === 'memory') return null
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory()
  if (isFolder) return null
  return isFolder === undefined
    ? `failed to lock data-path: open ${path}: no such file or directory; make it first, or mount its disk`
    : `failed to lock data-path: ${path}: not a directory`
}

/** A line where messages of an nsqd lie around that nobody will ever get. */
export function orphanedQueuesWarning(values: NsqdValues): string | null {
  const path = values['data-path'] || '.'
  const names = readdirSync(path)
  if (names.includes('nsqd.dat')) return null
  const count = names.filter((name) => QUEUE_FILE.test(name)).length
  if (count === 0) return null
  return `${path} has ${count} queue files of an nsqd, and no nsqd.dat that says which topics they are of: they are not taken over`
}
