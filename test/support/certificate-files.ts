import { TestFiles } from '@spillway/tls/testing'

/** A certificate that signs itself and its key, as files of a test. */
export class CertificateFiles {
  readonly #files = new TestFiles()

  /** The flags of an `nsqd` that has them, and listens for no HTTPS. */
  async flags(): Promise<string[]> {
    const { certPath, keyPath } = await this.#files.writeCertificate('127.0.0.1')
    return [`--tls-cert=${certPath}`, `--tls-key=${keyPath}`, '--https-address=']
  }

  remove(): Promise<void> {
    return this.#files.remove()
  }
}
