import type { ConnectionOptions } from 'node:tls'
import { makeAuthority, makeCertificate, TestFiles } from '@spillway/tls/testing'

/** What a client has of TLS, in the words of a case. */
export interface TlsWishes {
  /** The newest version that it speaks; also the oldest. */
  readonly version?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
  /** Its certificate: one that it has signed itself, or one of the brokers' authority. */
  readonly certificate?: 'own' | 'signed'
  /** What it takes, in OpenSSL's words; the brokers would choose differently. */
  readonly ciphers?: string
}

/** OpenSSL takes old versions for too weak, unless it is told not to look. */
const ANY_CIPHERS = 'DEFAULT@SECLEVEL=0'

/** The certificates of a run: both brokers have the same. They differ from run to run, and nothing of them is recorded. */
export class Credentials {
  readonly #files: TestFiles
  readonly #paths: Readonly<Record<string, string>>
  readonly #clients: Readonly<Record<'own' | 'signed', ConnectionOptions>>

  private constructor(files: TestFiles, paths: Record<string, string>, clients: Record<'own' | 'signed', object>) {
    this.#files = files
    this.#paths = paths
    this.#clients = clients
  }

  static async make(): Promise<Credentials> {
    const files = new TestFiles()
    const authority = await makeAuthority('authority')
    const server = await makeCertificate('127.0.0.1')
    const paths = {
      '{cert}': await files.write('cert.pem', server.cert),
      '{key}': await files.write('key.pem', server.key),
      '{ca}': await files.write('ca.pem', authority.cert),
    }
    const own = await makeCertificate('own')
    const signed = await makeCertificate('signed', authority)
    return new Credentials(files, paths, { own, signed })
  }

  /** A flag with the paths of files where it says `{cert}`, `{key}` or `{ca}`. */
  fill(flag: string): string {
    return flag.replace(/\{(cert|key|ca)\}/, (name) => this.#paths[name])
  }

  /** What a client with such wishes connects with. */
  optionsFor({ version, certificate, ciphers }: TlsWishes): ConnectionOptions {
    return {
      rejectUnauthorized: false,
      ciphers: ciphers ?? ANY_CIPHERS,
      ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
      ...(certificate === undefined ? {} : this.#clients[certificate]),
    }
  }

  remove(): Promise<void> {
    return this.#files.remove()
  }
}
