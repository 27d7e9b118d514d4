import {
  closeSync,
  fdatasync,
  ftruncateSync,
  openSync,
  unlink,
  unlinkSync,
  writeSync,
  writev,
  writevSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const fdatasyncAsync = promisify(fdatasync)
const unlinkAsync = promisify(unlink)

export function journalFileName(number: number): string {
  return `${String(number).padStart(8, '0')}.journal`
}

/** The number in the name of a journal file; null for any other name. */
export function journalFileNumber(name: string): number | null {
  const match = /^(\d{8,})\.journal$/.exec(name)
  return match === null ? null : Number(match[1])
}

/** A file that nothing more is written to. */
export interface ClosedFile {
  readonly number: number
  readonly path: string
  readonly sizeBytes: number
  sync(): Promise<void>
  close(): void
  remove(): Promise<void>
}

/** A file of an earlier life. */
export class FoundFile implements ClosedFile {
  readonly number: number
  readonly path: string
  readonly sizeBytes: number
  #isSynced = false

  constructor(folder: string, number: number, sizeBytes: number) {
    this.number = number
    this.path = join(folder, journalFileName(number))
    this.sizeBytes = sizeBytes
  }

  /** Whoever wrote it may have been killed before: files behind it must not be safer than this one. */
  async sync(): Promise<void> {
    if (this.#isSynced) return
    this.#isSynced = true
    const file = await open(this.path, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null // gone in the meantime: nobody needs it
      this.#isSynced = false
      throw error
    })
    if (file === null) return
    try {
      await file.datasync()
    } catch (error) {
      this.#isSynced = false
      throw error
    } finally {
      await file.close()
    }
  }

  close(): void {}

  async remove(): Promise<void> {
    await unlinkAsync(this.path)
  }
}

/** One file of the journal while it is written. Everything throws, or rejects with, the system's own errors. */
export class JournalFile implements ClosedFile {
  readonly number: number
  readonly path: string
  /** Bytes written and known to be whole; what lies behind them is cut off. */
  sizeBytes = 0
  /** Bytes known to be on the disk itself. */
  syncedBytes = 0
  /** What went wrong may have left bytes that are not known: nothing more is written. */
  isBroken = false
  /** Null once closed. */
  #fd: number | null
  #isSyncing = false
  #hasFailedSync = false
  #closeWanted = false

  readonly #expectedBytes: number

  /** `expectedBytes` is its size at once, filled with zeros that take no room: syncs are twice as fast then, as the size stays. */
  constructor(folder: string, number: number, expectedBytes: number) {
    this.number = number
    this.path = join(folder, journalFileName(number))
    this.#fd = openSync(this.path, 'wx', 0o600)
    this.#expectedBytes = expectedBytes
    try {
      ftruncateSync(this.#fd, expectedBytes)
    } catch (error) {
      this.discard()
      throw error
    }
  }

  /** It was not begun after all: the next one may have its name at once. */
  discard(): void {
    this.close()
    unlinkSync(this.path)
  }

  /** Appends all of it, or throws and has appended nothing, as far as that can be had. */
  write(bytes: Uint8Array, length: number): void {
    this.#orTakeBack(() => this.#writeFully(bytes, 0, length, this.sizeBytes))
    this.sizeBytes += length
  }

  /** The same for several buffers. */
  writeAll(buffers: readonly Uint8Array[], length: number): void {
    this.#orTakeBack(() => {
      let written = writevSync(this.#open, buffers as Uint8Array[], this.sizeBytes)
      let start = 0
      for (const buffer of buffers) {
        const end = start + buffer.length
        if (written < end) {
          const from = Math.max(0, written - start)
          this.#writeFully(buffer, from, buffer.length - from, this.sizeBytes + start + from)
          written = end
        }
        start = end
      }
    })
    this.sizeBytes += length
  }

  /** The same in the thread pool; one call at a time, and no other writing meanwhile. */
  async writeAllLater(buffers: readonly Uint8Array[], length: number): Promise<void> {
    const start = this.sizeBytes
    const written = await new Promise<number>((resolve, reject) => {
      writev(this.#open, buffers as Uint8Array[], start, (error, count) => (error ? reject(error) : resolve(count)))
    }).catch((error: unknown) => {
      this.#takeBack()
      throw error
    })
    if (written < length) return this.writeAll(buffers, length) // over what is there already
    this.sizeBytes += length
  }

  #orTakeBack(write: () => void): void {
    try {
      write()
    } catch (error) {
      this.#takeBack()
      throw error
    }
  }

  #takeBack(): void {
    try {
      ftruncateSync(this.#open, this.sizeBytes)
      ftruncateSync(this.#open, Math.max(this.sizeBytes, this.#expectedBytes))
    } catch {
      this.isBroken = true // the next file says where this one ends
    }
  }

  #writeFully(bytes: Uint8Array, from: number, length: number, position: number): void {
    for (let done = 0; done < length; ) {
      done += writeSync(this.#open, bytes, from + done, length - done, position + done)
    }
  }

  /** Brings everything written so far to the disk itself. One call at a time. */
  async sync(): Promise<void> {
    if (this.#fd === null || this.#hasFailedSync || this.syncedBytes === this.sizeBytes) return
    const sizeBytes = this.sizeBytes
    this.#isSyncing = true
    try {
      await fdatasyncAsync(this.#fd)
      this.syncedBytes = Math.max(this.syncedBytes, sizeBytes)
    } catch (error) {
      // the system may have forgotten what it could not write: another sync would say that all is well
      this.#hasFailedSync = true
      this.isBroken = true
      throw error
    } finally {
      this.#isSyncing = false
      if (this.#closeWanted) this.close()
    }
  }

  /** Where it ends for sure, as far as anybody was told. */
  get certainEnd(): number {
    return this.#hasFailedSync ? this.syncedBytes : this.sizeBytes
  }

  close(): void {
    this.#closeWanted = true
    if (this.#fd === null || this.#isSyncing) return
    closeSync(this.#fd)
    this.#fd = null
  }

  async remove(): Promise<void> {
    this.close()
    await unlinkAsync(this.path)
  }

  get #open(): number {
    if (this.#fd === null) throw new Error(`${this.path} is closed`)
    return this.#fd
  }
}
