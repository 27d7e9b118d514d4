import { close, unlink } from 'node:fs'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { headerOf, keyOf } from './value.mjs'

const STRETCH_BYTES = 2 ** 20
const UNSTORED_BYTES_MAX = 32 * 2 ** 20
const IN_FLIGHT_MAX = 2
const closeInPool = promisify(close)
const unlinkInPool = promisify(unlink)

/** Gathers runs into stretches, puts these into RocksDB in the background and removes journal files that are no longer needed. */
export class StoreBehind {
  #db
  #options
  #open = newStretch()
  #sealed = []
  #inFlight = 0
  #unstoredBytes = 0
  #addedCount = 0
  #storedCount = 0
  #files = []
  #waiting

  constructor(db, options) {
    this.#db = db
    this.#options = options
  }

  add(frames, count) {
    if (this.#open.length + frames.length > STRETCH_BYTES) this.#seal()
    const stretch = this.#open
    stretch.length += frames.copy(stretch.bytes, stretch.length)
    stretch.count += count
    stretch.checksum = crc32(frames, stretch.checksum)
    this.#unstoredBytes += frames.length
  }

  /** `settled` resolves when no sync uses the file. */
  addFullFile(file) {
    this.#files.push({ ...file, neededUntil: this.#addedCount + 1 })
  }

  /** A promise while publishers have to wait. */
  caughtUp() {
    if (this.#unstoredBytes <= UNSTORED_BYTES_MAX) return undefined
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  async drain() {
    if (this.#open.length > 0) this.#seal()
    while (this.#inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  #seal() {
    this.#sealed.push(this.#open)
    this.#open = newStretch()
    this.#addedCount += 1
    while (this.#inFlight < IN_FLIGHT_MAX && this.#sealed.length > 0) this.#store(this.#sealed.shift())
  }

  async #store(stretch) {
    this.#inFlight += 1
    const sequence = this.#addedCount - this.#sealed.length
    const frames = stretch.bytes.subarray(0, stretch.length)
    if (!this.#options.consumed) {
      const batch = this.#db.write({ autoDestroy: true })
      batch.tryPut(keyOf(100, sequence), frames)
      batch.tryPut(keyOf(105, sequence), headerOf(frames, stretch.count, sequence, stretch.checksum))
      await batch.flush()
    }
    this.#unstoredBytes -= stretch.length
    this.#storedCount += 1
    if (this.#unstoredBytes <= UNSTORED_BYTES_MAX) this.#waiting?.()
    await this.#removeFiles()
    this.#inFlight -= 1
    if (this.#sealed.length > 0) this.#store(this.#sealed.shift())
  }

  async #removeFiles() {
    while (this.#files.length > 0 && this.#files[0].neededUntil <= this.#storedCount - IN_FLIGHT_MAX) {
      const { fd, path, settled } = this.#files.shift()
      // RocksDB's WAL is not synced: only a flush that began after the stretches were put makes the file needless.
      if (this.#options.power) await this.#db.flush()
      await settled
      await closeInPool(fd)
      await unlinkInPool(path)
    }
  }
}

function newStretch() {
  return { bytes: Buffer.allocUnsafeSlow(STRETCH_BYTES), length: 0, count: 0, checksum: 0 }
}
