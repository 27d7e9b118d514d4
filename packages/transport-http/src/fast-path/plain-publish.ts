/** A `POST /pub` that says nothing special, as it lies in bytes that were read. */
export interface PlainPublish {
  /** What follows the `?`, not decoded. */
  readonly rawQuery: string
  readonly bodyStart: number
  /** As the client says; what is there may end before it, or go on behind it. */
  readonly bodySizeBytes: number
}

/** Longer heads are not remembered. */
const REMEMBERED_BYTES_MAX = 1_024
const HEAD_END = '\r\n\r\n'
const REQUEST_LINE = /^POST \/pub\?([!-~]+) HTTP\/1\.1$/
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t -~]*)$/
const SIZE = /^[0-9]{1,9}$/

/** Recognises the plain publishes of one connection. */
export class PlainPublishes {
  readonly #headerSizeBytesMax: number
  #head: Buffer | null = null
  #publish: PlainPublish | null = null

  constructor(headerSizeBytesMax: number) {
    this.#headerSizeBytesMax = headerSizeBytesMax
  }

  /** What `bytes` begin with; null for anything but a plain publish whose head is there in full. */
  recognise(bytes: Buffer): PlainPublish | null {
    // A producer sends the same head again and again.
    const head = this.#head
    if (head !== null && bytes.length > head.length && head.compare(bytes, 0, head.length) === 0) return this.#publish
    const publish = recognise(bytes, this.#headerSizeBytesMax)
    if (publish !== null && publish.bodyStart <= REMEMBERED_BYTES_MAX) {
      this.#head = Buffer.from(bytes.subarray(0, publish.bodyStart))
      this.#publish = publish
    }
    return publish
  }
}

/**
 * Whatever is unusual about a head makes it another kind of request, for node:http to understand or to refuse: this is
 * no parser, and never the reason for an error.
 */
function recognise(bytes: Buffer, headerSizeBytesMax: number): PlainPublish | null {
  const headEnd = bytes.indexOf(HEAD_END)
  if (headEnd === -1 || headEnd > headerSizeBytesMax) return null
  const lines = bytes.toString('latin1', 0, headEnd).split('\r\n')
  const request = REQUEST_LINE.exec(lines[0])
  if (request === null) return null
  let hostCount = 0
  let sizeCount = 0
  let bodySizeBytes = 0
  for (let index = 1; index < lines.length; index++) {
    const field = FIELD.exec(lines[index])
    if (field === null) return null
    const value = field[2]
    switch (field[1].toLowerCase()) {
      case 'host':
        hostCount++
        break
      case 'content-length':
        if (!SIZE.test(value)) return null
        sizeCount++
        bodySizeBytes = Number(value)
        break
      case 'connection':
        if (value.toLowerCase() !== 'keep-alive') return null
        break
      // These change how a request is read, or answered.
      case 'transfer-encoding':
      case 'expect':
      case 'upgrade':
      case 'proxy-connection':
        return null
    }
  }
  if (hostCount !== 1 || sizeCount !== 1) return null
  return { rawQuery: request[1], bodyStart: headEnd + HEAD_END.length, bodySizeBytes }
}
