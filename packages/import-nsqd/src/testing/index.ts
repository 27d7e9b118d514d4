import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface OldRecord {
  readonly body: string | Buffer
  readonly attempts?: number
  /** Unix nanoseconds. */
  readonly timestampNs?: bigint
}

/** A data path as an nsqd leaves it; see `disk-queue.ts` for the layout. */
export class OldDataPath {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async create(): Promise<OldDataPath> {
    return new OldDataPath(await mkdtemp(join(tmpdir(), 'spillway-nsqd-')))
  }

  async metadata(topics: unknown): Promise<void> {
    await writeFile(join(this.path, 'nsqd.dat'), JSON.stringify({ topics, version: '1.3.0' }))
  }

  /** The files of one queue, a file for each list; `read` records of the first are read already. */
  async queue(name: string, files: readonly (readonly OldRecord[])[], read = 0): Promise<void> {
    const encoded = files.map((records) => records.map(encode))
    const offset = encoded[0]?.slice(0, read).reduce((sum, bytes) => sum + bytes.length, 0) ?? 0
    for (const [number, records] of encoded.entries()) await this.file(name, number, Buffer.concat(records))
    const depth = files.flat().length - read
    const lastBytes = Buffer.concat(encoded.at(-1) ?? []).length
    await this.meta(name, `${depth}\n0,${offset}\n${Math.max(0, files.length - 1)},${lastBytes}\n`)
  }

  async meta(name: string, text: string): Promise<void> {
    await writeFile(join(this.path, `${name}.diskqueue.meta.dat`), text)
  }

  async file(name: string, number: number, bytes: Buffer): Promise<string> {
    const path = join(this.path, `${name}.diskqueue.${String(number).padStart(6, '0')}.dat`)
    await writeFile(path, bytes)
    return path
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true })
  }
}

export function encode({ body, attempts = 0, timestampNs = 1_700_000_000_000_000_001n }: OldRecord): Buffer {
  const bytes = Buffer.from(body)
  const header = Buffer.alloc(30)
  header.writeInt32BE(26 + bytes.length, 0)
  header.writeBigInt64BE(timestampNs, 4)
  header.writeUInt16BE(attempts, 12)
  header.write('0123456789abcdef', 14, 'latin1')
  return Buffer.concat([header, bytes])
}
