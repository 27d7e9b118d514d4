import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { getSystemErrorMap } from 'node:util'
import { crc32 } from 'node:zlib'
import { BrokerError } from '@spillway/core'

const PREFIX_SIZE_BYTES = 12
const HEAD_AT = 4

/**
 * A file of entries that is only ever appended to:
 *
 *   prefix:  uint32 size of the payload | uint32 CRC-32 of the payload | uint32 CRC-32 of these eight bytes
 *   payload: uint32 size of the head | head (JSON) | body
 *
 * One entry is one write, and counts only if it is there in full: that makes it atomic. What was written survives
 * kill -9, because the system has it; it does not survive a loss of power, because nothing here waits for the disk.
 */
export class Journal {
  #path
  #file
  #isBroken = false
  /** Where the next entry goes. */
  sizeBytes = 0

  constructor(path) {
    this.#path = path
    this.#file = attempt(path, () => openSync(path, constants.O_RDWR | constants.O_CREAT))
  }

  /** Calls `onEntry(head, at)` for every entry from the beginning; cuts off, and logs, one that was not written in full. */
  replay(onEntry, logger) {
    const fileSizeBytes = attempt(this.#path, () => fstatSync(this.#file).size)
    while (this.#isWhole(fileSizeBytes)) {
      const { head, end } = this.read(this.sizeBytes)
      onEntry(head, this.sizeBytes)
      this.sizeBytes = end
    }
    const cutSizeBytes = fileSizeBytes - this.sizeBytes
    if (cutSizeBytes === 0) return
    attempt(this.#path, () => ftruncateSync(this.#file, this.sizeBytes))
    logger?.warn('the last entry was not written in full: cut off', { file: this.#path, cutSizeBytes })
  }

  /** Appends an entry and returns where it is. */
  append(head, ...bodies) {
    const at = this.sizeBytes
    const entry = encode(head, bodies)
    try {
      if (this.#isBroken) throw new Error('an earlier write could not be taken back')
      for (let done = 0; done < entry.length; )
        done += writeSync(this.#file, entry, done, entry.length - done, at + done)
    } catch (error) {
      this.#takeBack()
      throw storageError(this.#path, error)
    }
    this.sizeBytes += entry.length
    return at
  }

  /** Reads the entry at `at`, checked. */
  read(at) {
    const { size, crc } = this.#readPrefix(at)
    const payload = this.#readBytes(at + PREFIX_SIZE_BYTES, size)
    if (payload.length < size || crc32(payload) !== crc) throw this.#damage(at)
    const bodyAt = HEAD_AT + payload.readUInt32BE(0)
    const head = JSON.parse(payload.toString('utf8', HEAD_AT, bodyAt))
    return { head, body: payload.subarray(bodyAt), end: at + PREFIX_SIZE_BYTES + size }
  }

  /** Replaces the whole journal: calls `write` with an empty one, which takes its place once that returns. */
  rewrite(write) {
    const path = `${this.#path}.new`
    const next = new Journal(path)
    try {
      attempt(path, () => ftruncateSync(next.#file, 0))
      write(next)
      attempt(path, () => renameSync(path, this.#path))
    } catch (error) {
      next.close()
      throw error
    }
    closeSync(this.#file)
    this.#file = next.#file
    this.sizeBytes = next.sizeBytes
  }

  close() {
    closeSync(this.#file)
  }

  /**
   * Whether there is an entry behind what was replayed. A process that was killed leaves at most the beginning of one,
   * and nothing behind it. Anything else is damage, and nobody should go on as if nothing had happened.
   */
  #isWhole(fileSizeBytes) {
    const payloadAt = this.sizeBytes + PREFIX_SIZE_BYTES
    return payloadAt <= fileSizeBytes && payloadAt + this.#readPrefix(this.sizeBytes).size <= fileSizeBytes
  }

  #readPrefix(at) {
    const prefix = this.#readBytes(at, PREFIX_SIZE_BYTES)
    if (prefix.length < PREFIX_SIZE_BYTES || crc32(prefix.subarray(0, 8)) !== prefix.readUInt32BE(8)) {
      throw this.#damage(at)
    }
    return { size: prefix.readUInt32BE(0), crc: prefix.readUInt32BE(4) }
  }

  #damage(at) {
    return new BrokerError('E_STORAGE_CORRUPT', `${this.#path}: the entry at byte ${at} fails its check`)
  }

  #readBytes(at, size) {
    const bytes = Buffer.allocUnsafeSlow(size)
    const read = attempt(this.#path, () => readSync(this.#file, bytes, 0, size, at))
    return bytes.subarray(0, read)
  }

  /** Makes sure that what failed to be written is not there, so that the next entry can go to the same place. */
  #takeBack() {
    try {
      ftruncateSync(this.#file, this.sizeBytes)
    } catch {
      this.#isBroken = true
    }
  }
}

function encode(head, bodies) {
  const headBytes = Buffer.from(JSON.stringify(head))
  const entry = Buffer.concat([Buffer.alloc(PREFIX_SIZE_BYTES + HEAD_AT), headBytes, ...bodies])
  entry.writeUInt32BE(headBytes.length, PREFIX_SIZE_BYTES)
  const payload = entry.subarray(PREFIX_SIZE_BYTES)
  entry.writeUInt32BE(payload.length, 0)
  entry.writeUInt32BE(crc32(payload), 4)
  entry.writeUInt32BE(crc32(entry.subarray(0, 8)), 8)
  return entry
}

/** Runs `call`; what the system refuses becomes an error that core knows. */
export function attempt(path, call) {
  try {
    return call()
  } catch (error) {
    throw storageError(path, error)
  }
}

export function storageError(path, error) {
  const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT'
  // Node's message names the call and the path as well; what a person needs of it is the reason.
  const [name, reason] = getSystemErrorMap().get(error.errno) ?? [error.code, error.message]
  const message = name === undefined ? `${path}: ${reason}` : `${path}: ${reason} (${name})`
  return new BrokerError(isFull ? 'E_STORAGE_FULL' : 'E_STORAGE_IO', message, { cause: error })
}
