import { resolve } from 'node:path'
import type { NsqdValues } from './to-config.js'

/** Versions of TLS by nsqd's names, oldest first. */
export const TLS_VERSIONS = ['tls1.0', 'tls1.1', 'tls1.2', 'tls1.3'] as const
export type TlsVersion = (typeof TLS_VERSIONS)[number]

/** Where TLS is asked of clients. */
export type TlsRequirement = 'none' | 'tcp' | 'everywhere'

/** A policy for client certificates, whatever it is, makes nsqd require TLS. */
export function tlsRequirementOf(values: NsqdValues): TlsRequirement {
  const required = values['tls-required'] ?? false
  if (required === 'tcp-https') return 'tcp'
  return required || values['tls-client-auth-policy'] ? 'everywhere' : 'none'
}

export const TLS_POLICIES: readonly string[] = ['require', 'require-verify']

/** The `tls` option of transports; undefined without a certificate. Relative paths are meant relative to the working directory. */
export function tlsOf(values: NsqdValues): Readonly<Record<string, unknown>> | undefined {
  const { 'tls-cert': cert, 'tls-key': key, 'tls-root-ca-file': rootCa, 'tls-client-auth-policy': policy } = values
  if (!cert || !key) return undefined
  const versionMin = values['tls-min-version']
  return {
    certPath: resolve(cert),
    keyPath: resolve(key),
    ...(rootCa ? { rootCaPath: resolve(rootCa) } : {}),
    // Any other word asks for no certificate, as in nsqd.
    clientAuthPolicy: policy !== undefined && TLS_POLICIES.includes(policy) ? policy : 'none',
    ...(versionMin ? { versionMin: versionMin.toUpperCase() } : {}),
  }
}
