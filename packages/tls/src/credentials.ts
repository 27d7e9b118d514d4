import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { SecureContext, SecureContextOptions, SecureVersion } from 'node:tls'
import { BrokerError } from '@spillway/core'
import { fileFaultOf } from './file-fault.js'
import type { TlsOptions, TlsVersion } from './options.js'
import type { ReadCertificate } from './tell-certificate.js'

const NODE_VERSIONS: Readonly<Record<TlsVersion, SecureVersion>> = {
  'TLS1.0': 'TLSv1',
  'TLS1.1': 'TLSv1.1',
  'TLS1.2': 'TLSv1.2',
  'TLS1.3': 'TLSv1.3',
}
/** OpenSSL takes these versions for too weak, unless it is told not to look. */
const WEAK_VERSIONS: readonly TlsVersion[] = ['TLS1.0', 'TLS1.1']
const WEAK_CIPHERS = 'DEFAULT@SECLEVEL=0'

/**
 * OpenSSL resumes no session of a client that was asked for a certificate unless its server has a name. Which server it
 * was is told by the keys of its tickets anyhow: a context has its own, so that no session outlives a reload.
 */
const SESSION_ID_CONTEXT = 'spillway'

/** A listener's certificate, key and authorities, as they were last read. */
export class TlsCredentials {
  readonly #options: TlsOptions
  readonly #basePath: string
  readonly #onRead: (certificate: ReadCertificate) => Promise<void>
  #contextOptions: SecureContextOptions | null = null
  #context: SecureContext | null = null

  /**
   * @param basePath - where relative paths begin
   * @param onRead - told, and waited for, whenever the files were read and can be used
   */
  constructor(
    options: TlsOptions,
    basePath: string,
    onRead: (certificate: ReadCertificate) => Promise<void> = async () => {},
  ) {
    this.#onRead = onRead
    this.#options = options
    this.#basePath = basePath
  }

  /**
   * Reads the files, for the first time or again. What cannot be used leaves things as they were.
   * @throws BrokerError `E_INVALID_OPTION` that names the path
   */
  async load(): Promise<void> {
    const { certPath, keyPath, rootCaPath, versionMin } = this.#options
    const [cert, key, ca] = await Promise.all([
      this.#read(certPath),
      this.#read(keyPath),
      rootCaPath === undefined ? undefined : this.#readAuthorities(rootCaPath),
    ])
    const options: SecureContextOptions = {
      cert,
      key,
      ...(ca === undefined ? {} : { ca }),
      sessionIdContext: SESSION_ID_CONTEXT,
      minVersion: NODE_VERSIONS[versionMin],
      ...(WEAK_VERSIONS.includes(versionMin) ? { ciphers: WEAK_CIPHERS } : {}),
    }
    const { createSecureContext } = await import('node:tls') // only where it is needed
    try {
      this.#context = createSecureContext(options)
    } catch (error) {
      throw this.#refusalOf(options, createSecureContext, error as Error)
    }
    const isReload = this.#contextOptions !== null
    this.#contextOptions = options
    await this.#onRead({ path: this.#resolve(certPath), pem: cert, isReload })
  }

  /** For one more connection. Null before {@link load}. */
  get context(): SecureContext | null {
    return this.#context
  }

  /** For a server of Node's that makes its own context. */
  get contextOptions(): SecureContextOptions {
    return this.#contextOptions ?? {}
  }

  /** Whether clients are asked for a certificate. */
  get requestCert(): boolean {
    return this.#options.clientAuthPolicy !== 'none'
  }

  /** Whether a certificate must be of an authority that counts. */
  get verifiesClients(): boolean {
    return this.#options.clientAuthPolicy === 'require-verify'
  }

  /** OpenSSL does not say which file it means: each is tried alone. Where each is good, they do not belong together. */
  #refusalOf(
    { cert, key, ca }: SecureContextOptions,
    createSecureContext: (options: SecureContextOptions) => unknown,
    error: Error,
  ): BrokerError {
    const { certPath, keyPath, rootCaPath = '' } = this.#options
    for (const [path, wanted, part] of [
      [certPath, 'certificate', { cert }],
      [keyPath, 'private key', { key }],
      [rootCaPath, 'certificate', { ca }],
    ] as const) {
      try {
        createSecureContext(part as SecureContextOptions)
      } catch (cause) {
        return refusal(`${this.#resolve(path)}: no PEM ${wanted} that can be read: ${(cause as Error).message}`, cause)
      }
    }
    return refusal(`${this.#resolve(certPath)}, ${this.#resolve(keyPath)}: ${error.message}`, error)
  }

  #resolve(path: string): string {
    return resolve(this.#basePath, path)
  }

  async #readAuthorities(path: string): Promise<Buffer> {
    const pem = await this.#read(path)
    const { faultOfAuthorities } = await import('./authorities.js') // only where it is needed
    const fault = faultOfAuthorities(pem)
    if (fault === null) return pem
    const { number, error } = fault
    const reason =
      error === null ? 'no certificate in it' : `certificate ${number} in it cannot be read: ${error.message}`
    throw refusal(`${this.#resolve(path)}: ${reason}`, error ?? undefined)
  }

  async #read(path: string): Promise<Buffer> {
    try {
      return await readFile(this.#resolve(path))
    } catch (error) {
      throw refusal(`${this.#resolve(path)}: ${fileFaultOf(error)}`, error)
    }
  }
}

function refusal(reason: string, cause?: unknown): BrokerError {
  return new BrokerError('E_INVALID_OPTION', `failed to build TLS config - ${reason}`, { cause })
}
