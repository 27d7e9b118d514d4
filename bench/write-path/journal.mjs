import { closeSync, ftruncateSync, openSync, renameSync, unlinkSync, writeSync, writevSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

export const HEADER_BYTES = 44
export const FILE_BYTES = 64 * 2 ** 20
/** Up to here one copy into the staging buffer is cheaper than a second buffer in the system call. */
const COPIED_BYTES_MAX = 16_384

/**
 * The journal as it is measured here: an entry is a header of 44 bytes and a run of frames. Node-wide, in numbered files.
 *
 *     0        4       8       12            20         28      32           40      44
 *     length   crc32   count   log           sequence   kind    file         spare
 */
export class Journal {
  #dir
  #options
  #staging = Buffer.alloc(HEADER_BYTES + COPIED_BYTES_MAX)
  #header = this.#staging.subarray(0, HEADER_BYTES)
  #fileNumber = 0

  /**
   * `preparation` is what a file is before it is written: `grow` (new and empty), `truncate` (new, its size set at once)
   * or `recycle` (an older file, given by `recycled`). `onFull` owns the descriptor and the path of a file that is full.
   */
  constructor(dir, { preparation = 'grow', fileBytes = FILE_BYTES, recycled = [], onFull = closeSync } = {}) {
    this.#dir = dir
    this.#options = { preparation, fileBytes, recycled, onFull }
    this.fd = this.#open()
  }

  /** Writes one entry; returns how long the system call took, in milliseconds. */
  append(frames, count, sequence) {
    const total = HEADER_BYTES + frames.length
    if (this.position + total > this.#options.fileBytes) this.#next()
    this.#fillHeader(frames, count, sequence)
    const copied = frames.length <= COPIED_BYTES_MAX
    if (copied) frames.copy(this.#staging, HEADER_BYTES)
    const startedAt = performance.now()
    const written = copied
      ? writeSync(this.fd, this.#staging, 0, total, this.position)
      : writevSync(this.fd, [this.#header, frames], this.position)
    const tookMs = performance.now() - startedAt
    if (written !== total) throw new Error(`${this.path}: ${written} of ${total} bytes written`)
    this.position += total
    return tookMs
  }

  close() {
    closeSync(this.fd)
  }

  #fillHeader(frames, count, sequence) {
    const header = this.#header
    header.writeUInt32BE(frames.length, 0)
    header.writeUInt32BE(crc32(frames), 4)
    header.writeUInt32BE(count, 8)
    header.writeUInt32BE(sequence, 24)
    header.writeUInt32BE(this.#fileNumber, 36)
  }

  #next() {
    const { fd, path } = this
    this.fd = this.#open()
    this.#options.onFull(fd, path)
  }

  #open() {
    const { preparation, recycled, fileBytes } = this.#options
    this.#fileNumber += 1
    this.position = 0
    this.path = join(this.#dir, `${String(this.#fileNumber).padStart(8, '0')}.journal`)
    const old = preparation === 'recycle' ? recycled.shift() : undefined
    if (preparation === 'recycle' && old === undefined) throw new Error('No file is left to recycle')
    if (old !== undefined) renameSync(old, this.path)
    const fd = openSync(this.path, old === undefined ? 'wx' : 'r+')
    if (preparation === 'truncate') ftruncateSync(fd, fileBytes)
    return fd
  }
}

/** For measurements that need no more than the disk space of one file. */
export function closeAndUnlink(fd, path) {
  closeSync(fd)
  unlinkSync(path)
}
