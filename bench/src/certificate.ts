import { TestFiles } from '@spillway/tls/testing'

/** A certificate for the brokers of one scenario, made when the first of them asks. */
export class Certificate {
  readonly #files = new TestFiles()

  /** Flags that nsqd and Spillway share. */
  async flags(): Promise<string[]> {
    const { certPath, keyPath } = await this.#files.writeCertificate('bench')
    return [`--tls-cert=${certPath}`, `--tls-key=${keyPath}`, '--https-address=127.0.0.1:0']
  }

  remove(): Promise<void> {
    return this.#files.remove()
  }
}
