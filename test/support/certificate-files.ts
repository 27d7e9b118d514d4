import { makeCertificate, TestFiles } from '@spillway/tls/testing'

/** A certificate that signs itself and its key, as files of a test. */
export class CertificateFiles {
  readonly #files = new TestFiles()

  /** The flags of an `nsqd` that has them, and listens for no HTTPS. */
  async flags(): Promise<string[]> {
    const { cert, key } = await makeCertificate('127.0.0.1')
    const certPath = await this.#files.write('cert.pem', cert)
    const keyPath = await this.#files.write('key.pem', key)
    return [`--tls-cert=${certPath}`, `--tls-key=${keyPath}`, '--https-address=']
  }

  remove(): Promise<void> {
    return this.#files.remove()
  }
}
