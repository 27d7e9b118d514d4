import { type FileHandle, open } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const compress = promisify(gzip)

/** What a member of a compressed file gathers at most, in memory; one message may be larger. */
const MEMBER_BYTES_MAX = 1024 * 1024
const NEWLINE = 0x0a

export interface OutputFileOptions {
  readonly path: string
  /** It must not be there yet; otherwise what is there is continued. */
  readonly isExclusive: boolean
  /** 1 to 9; null: not compressed. */
  readonly gzipLevel: number | null
}

/**
 * One file that lines are written to.
 *
 * A compressed one is a row of gzip members, which readers take for one stream. What was synced is in whole members, so it
 * can be read whatever happens after it:
 * ```
 *   | member | member | member (may be torn by a crash) |
 *            ^ sync   ^ sync
 * ```
 * Calls must not overlap. Every call may throw what the file system says.
 */
export class OutputFile {
  readonly path: string
  readonly #file: FileHandle
  readonly #gzipLevel: number | null
  /** Not compressed yet. */
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #isEmpty: boolean
  #sizeBytes: number

  private constructor(path: string, file: FileHandle, gzipLevel: number | null, sizeBytes: number) {
    this.path = path
    this.#file = file
    this.#gzipLevel = gzipLevel
    this.#sizeBytes = sizeBytes
    this.#isEmpty = sizeBytes === 0
  }

  static async open({ path, isExclusive, gzipLevel }: OutputFileOptions): Promise<OutputFile> {
    const file = await open(path, isExclusive ? 'ax' : 'a+', 0o666)
    try {
      const { size } = await file.stat()
      const output = new OutputFile(path, file, gzipLevel, size)
      if (!isExclusive && size > 0) await output.#endLastLine(size)
      return output
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** A process that was killed may have left half a line: its message comes again, on a line of its own. */
  async #endLastLine(sizeBytes: number): Promise<void> {
    const last = Buffer.alloc(1)
    await this.#file.read(last, 0, 1, sizeBytes - 1)
    if (last[0] !== NEWLINE) await this.write(Buffer.from('\n'))
  }

  /** What it holds: of a compressed one, before it was compressed. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Takes whole lines. They are with the system, or gathered for the next member, when it resolves. */
  async write(lines: Buffer): Promise<void> {
    this.#sizeBytes += lines.length
    if (this.#gzipLevel === null) {
      await this.#file.appendFile(lines)
      return
    }
    this.#gathered.push(lines)
    this.#gatheredBytes += lines.length
    if (this.#gatheredBytes >= MEMBER_BYTES_MAX) await this.#writeMember(this.#gzipLevel)
  }

  async #writeMember(level: number): Promise<void> {
    const bytes = await compress(Buffer.concat(this.#gathered), { level })
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#isEmpty = false
    await this.#file.appendFile(bytes)
  }

  /** What was written before is on the disk when it resolves. */
  async sync(): Promise<void> {
    if (this.#gzipLevel !== null && this.#gatheredBytes > 0) await this.#writeMember(this.#gzipLevel)
    await this.#file.datasync()
  }

  /** Syncs, and lets go of the file; of the latter also when syncing fails. */
  async close(): Promise<void> {
    try {
      // Without a member, it would be no gzip file.
      if (this.#gzipLevel !== null && this.#isEmpty) await this.#writeMember(this.#gzipLevel)
      await this.sync()
    } finally {
      await this.#file.close()
    }
  }
}
