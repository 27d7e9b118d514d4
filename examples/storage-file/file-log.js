import { BrokerError } from '@spillway/core'
import { Journal } from './journal.js'

const NOTHING = new Uint8Array(0)

/** A journal is rewritten when more than half of it, and more than this, is of no use any more. */
const WASTE_SIZE_BYTES_MAX = 4 * 1024 * 1024

/**
 * One log: a journal of everything that happened to it, and an index in memory. The heads of its entries:
 *
 *   { first, count, framesSizeBytes, attributesSizeBytes }   a chunk; the body is its frames, then its attributes
 *   { trimmedBefore }                                        a trim
 *   { channel, head, pages: [[number, page], …] }            a cursor was saved; values in base64, null forgets a page
 *   { channel, head: null }                                  a cursor was deleted
 *
 * Everything is done when a call returns, so calls cannot overlap, and the order is theirs.
 */
export class FileLog {
  #journal
  #onClose
  #isOpen = true
  #trimmedBefore = 0
  /** `{ first, end, at, sizeBytes, attributesSizeBytes }` in order. */
  #chunks = []
  /** Channel → `{ head, pages }`. */
  #cursors = new Map()
  #appendError = null
  sizeBytes = 0

  constructor(path, logger, onClose) {
    this.#journal = new Journal(path)
    this.#onClose = onClose
    try {
      this.#journal.replay((head, at) => this.#apply(head, at), logger)
    } catch (error) {
      this.#journal.close()
      throw error
    }
    this.first = this.#trimmedBefore
    this.next = Math.max(this.first, this.#chunks.at(-1)?.end ?? 0)
  }

  append({ first, count, frames, attributes }) {
    this.#requireOpen()
    if (this.#appendError !== null) throw this.#appendError
    const head = { first, count, framesSizeBytes: frames.length, attributesSizeBytes: attributes?.length ?? null }
    try {
      this.#write(head, frames, attributes ?? NOTHING)
    } catch (error) {
      this.#appendError = error
      throw error
    }
  }

  async read(from, sizeBytesMax) {
    this.#requireOpen()
    const chunks = []
    let sizeBytes = 0
    for (let index = this.#firstEndingAbove(from); index < this.#chunks.length; index++) {
      sizeBytes += this.#chunks[index].sizeBytes
      if (chunks.length > 0 && sizeBytes > sizeBytesMax) break
      chunks.push(this.#readChunk(this.#chunks[index].at))
    }
    return chunks
  }

  /** A storage that keeps side tables apart would not read the frames for this. */
  async readAttributes(from, sizeBytesMax) {
    this.#requireOpen()
    const found = []
    let sizeBytes = 0
    for (let index = this.#firstEndingAbove(from); index < this.#chunks.length; index++) {
      if (this.#chunks[index].attributesSizeBytes === null) continue
      sizeBytes += this.#chunks[index].attributesSizeBytes
      if (found.length > 0 && sizeBytes > sizeBytesMax) break
      const { first, count, attributes } = this.#readChunk(this.#chunks[index].at)
      found.push({ first, count, attributes })
    }
    return found
  }

  /** Advice that this storage does not take: room is given back by trims alone. */
  erase() {
    this.#requireOpen()
  }

  async trim(before) {
    this.#requireOpen()
    if (before <= this.#trimmedBefore) return
    this.#write({ trimmedBefore: before })
    this.#reclaim()
  }

  saveCursor(channel, { head, pages }) {
    this.#requireOpen()
    const encoded = [...pages].map(([number, page]) => [number, page === null ? null : toBase64(page)])
    this.#write({ channel, head: toBase64(head), pages: encoded })
    this.#reclaim()
  }

  async loadCursor(channel) {
    this.#requireOpen()
    const cursor = this.#cursors.get(channel)
    if (cursor === undefined) return null
    const pages = [...cursor.pages].map(([number, page]) => [number, Buffer.from(page, 'base64')])
    return { head: Buffer.from(cursor.head, 'base64'), pages: new Map(pages) }
  }

  async deleteCursor(channel) {
    this.#requireOpen()
    if (this.#cursors.has(channel)) this.#write({ channel, head: null })
  }

  async close() {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#journal.close()
    this.#onClose()
  }

  #write(head, ...bodies) {
    this.#apply(head, this.#journal.append(head, ...bodies))
  }

  /** Takes an entry, just written or found at opening, into the index. */
  #apply(head, at) {
    if ('framesSizeBytes' in head) {
      const { first, count, framesSizeBytes, attributesSizeBytes } = head
      const sizeBytes = framesSizeBytes + (attributesSizeBytes ?? 0)
      this.#chunks.push({ first, end: first + count, at, sizeBytes, attributesSizeBytes })
      this.sizeBytes += sizeBytes
    } else if ('trimmedBefore' in head) {
      this.#trimmedBefore = head.trimmedBefore
      const trimmed = this.#chunks.splice(0, this.#firstEndingAbove(head.trimmedBefore))
      for (const { sizeBytes } of trimmed) this.sizeBytes -= sizeBytes
    } else if (head.head === null) {
      this.#cursors.delete(head.channel)
    } else {
      const pages = this.#cursors.get(head.channel)?.pages ?? new Map()
      for (const [number, page] of head.pages) {
        if (page === null) pages.delete(number)
        else pages.set(number, page)
      }
      this.#cursors.set(head.channel, { head: head.head, pages })
    }
  }

  #readChunk(at) {
    const { head, body } = this.#journal.read(at)
    const frames = body.subarray(0, head.framesSizeBytes)
    const attributes = head.attributesSizeBytes === null ? null : body.subarray(head.framesSizeBytes)
    return { first: head.first, count: head.count, frames, attributes }
  }

  #firstEndingAbove(sequence) {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#chunks[middle].end > sequence) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Gives the disk back what trimmed chunks and replaced cursors take. */
  #reclaim() {
    const waste = this.#journal.sizeBytes - this.sizeBytes - this.#cursorsSizeBytes()
    if (waste < WASTE_SIZE_BYTES_MAX || waste < this.#journal.sizeBytes / 2) return
    try {
      this.#rewrite()
    } catch (error) {
      // The journal is as it was. On a full disk that must do, or nobody could finish messages to make room.
      if (error.code !== 'E_STORAGE_FULL') throw error
    }
  }

  #rewrite() {
    const chunks = []
    this.#journal.rewrite((next) => {
      next.append({ trimmedBefore: this.#trimmedBefore })
      for (const [channel, { head, pages }] of this.#cursors) next.append({ channel, head, pages: [...pages] })
      for (const chunk of this.#chunks) {
        const { head, body } = this.#journal.read(chunk.at)
        chunks.push({ ...chunk, at: next.append(head, body) })
      }
    })
    this.#chunks = chunks
  }

  #cursorsSizeBytes() {
    let sizeBytes = 0
    for (const { head, pages } of this.#cursors.values()) {
      sizeBytes += head.length
      for (const page of pages.values()) sizeBytes += page.length
    }
    return sizeBytes
  }

  #requireOpen() {
    if (!this.#isOpen) throw new BrokerError('E_STORAGE_CLOSED', 'the log is closed')
  }
}

const toBase64 = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
