import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'

export interface KeyPair {
  readonly cert: string
  readonly key: string
}

/** A key and its certificate, which signs itself. */
export function makeAuthority(commonName: string): Promise<KeyPair> {
  return make(commonName, {
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true },
    ],
  })
}

/** A key and its certificate for 127.0.0.1, signed by an authority, or by itself. */
export function makeCertificate(commonName: string, ca?: KeyPair): Promise<KeyPair> {
  return make(commonName, {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    ...(ca === undefined ? {} : { ca }),
  })
}

async function make(commonName: string, options: Parameters<typeof generate>[1]): Promise<KeyPair> {
  const name = [{ name: 'commonName', value: commonName }]
  const { cert, private: key } = await generate(name, { keyType: 'ec', algorithm: 'sha256', ...options })
  return { cert, key }
}

/** A folder for the files of a test. */
export class TestFiles {
  #folder: string | null = null

  /** Writes one, and returns its path. */
  async write(name: string, text: string): Promise<string> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'spillway-tls-'))
    const path = join(this.#folder, name)
    await writeFile(path, text)
    return path
  }

  /** Makes a certificate that signs itself, and returns the paths of it and its key. */
  async writeCertificate(commonName: string): Promise<{ readonly certPath: string; readonly keyPath: string }> {
    const { cert, key } = await makeCertificate(commonName)
    return { certPath: await this.write('cert.pem', cert), keyPath: await this.write('key.pem', key) }
  }

  async remove(): Promise<void> {
    if (this.#folder !== null) await rm(this.#folder, { recursive: true })
    this.#folder = null
  }
}
