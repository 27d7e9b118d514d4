/** What a listener that encrypts is given. Paths are relative to the configuration file. */
export interface TlsOptions {
  /** PEM: the certificate, and those between it and its authority. */
  readonly certPath: string
  /** PEM: its private key. */
  readonly keyPath: string
  /** PEM: the authorities whose client certificates count; those of the system without it. */
  readonly rootCaPath?: string
  /**
   * Whether clients need a certificate.
   * - `none`: they are not asked for one.
   * - `require`: any.
   * - `require-verify`: one of an authority that counts.
   */
  readonly clientAuthPolicy: ClientAuthPolicy
  readonly versionMin: TlsVersion
}

export type ClientAuthPolicy = 'none' | 'require' | 'require-verify'
export type TlsVersion = 'TLS1.0' | 'TLS1.1' | 'TLS1.2' | 'TLS1.3'

const path = (description: string) => ({ type: 'string', minLength: 1, description })

/** JSON schema of {@link TlsOptions}. */
export const TLS_SCHEMA = {
  type: 'object',
  description: 'Certificate and policy; read again at SIGHUP.',
  additionalProperties: false,
  required: ['certPath', 'keyPath'],
  properties: {
    certPath: path('PEM file of the certificate, relative to the configuration file.'),
    keyPath: path('PEM file of its private key.'),
    rootCaPath: path('PEM file of the authorities whose client certificates count; those of the system without it.'),
    clientAuthPolicy: {
      enum: ['none', 'require', 'require-verify'],
      default: 'none',
      description:
        'Whether clients need a certificate: "require" takes any, "require-verify" only those of an authority that counts.',
    },
    versionMin: {
      enum: ['TLS1.0', 'TLS1.1', 'TLS1.2', 'TLS1.3'],
      default: 'TLS1.2',
      description: 'The oldest version of TLS that is spoken.',
    },
  },
} as const
