/** What a turn of the event loop wants to send, gathered so that it leaves as one write. */
const SLAB_BYTES = 64 * 1024
/** A body below it is copied, one above is handed on as it is. */
const COPIED_BYTES_MAX = 16 * 1024
const FREE_SLABS_MAX = 32
const ID_BYTES = 16
const FIN = 0x46494e20
const NOP = Buffer.from('NOP\n')

/** Takes bytes; may read them until it calls back. */
export interface ByteOutput {
  write(bytes: Uint8Array, written?: (error?: Error | null) => void): void
  /** Between the two, writes may be held back to leave together. */
  cork(): void
  uncork(): void
}

class Slab {
  readonly bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
  readonly view = new DataView(this.bytes.buffer)
  usedBytes = 0
  readonly release = (): void => {
    this.usedBytes = 0
    if (freeSlabs.length < FREE_SLABS_MAX) freeSlabs.push(this)
  }
}

/** Those that nobody is sending, shared by all connections. */
const freeSlabs: Slab[] = []

/** Encodes commands. Nothing is allocated for one, except what a large body takes in the list. */
export class Outgoing {
  readonly #flush: () => void
  #output: ByteOutput
  #slab: Slab | null = null
  /** Full, or followed by a large body. */
  #parts: (Slab | Uint8Array)[] = []
  #isScheduled = false
  #isOver = false
  #isHeld = false

  constructor(output: ByteOutput) {
    this.#output = output
    this.#flush = () => this.flush()
  }

  /** From here on bytes go through that one. */
  set output(output: ByteOutput) {
    this.#output = output
  }

  /** Nothing leaves until {@link release}: the connection is being set up. */
  hold(): void {
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.flush()
  }

  nop(): void {
    this.text(NOP)
  }

  /** A command without a body, or something that has been encoded already and is small. */
  text(bytes: Uint8Array): void {
    const slab = this.#room(bytes.length)
    slab.bytes.set(bytes, slab.usedBytes)
    slab.usedBytes += bytes.length
  }

  /** `FIN` of the message whose id is at `source[at]`. */
  fin(source: Buffer, at: number): void {
    const slab = this.#room(5 + ID_BYTES)
    const { bytes, usedBytes: to } = slab
    slab.view.setInt32(to, FIN)
    for (let i = 0; i < ID_BYTES; i++) bytes[to + 4 + i] = source[at + i]
    bytes[to + 4 + ID_BYTES] = 0x0a
    slab.usedBytes = to + 5 + ID_BYTES
  }

  /** `line`, which ends with its newline, then the size, then the body. */
  withBody(line: Buffer, body: string | Uint8Array, sizeBytes: number): void {
    const lineBytes = line.length
    const isCopied = sizeBytes <= COPIED_BYTES_MAX
    const slab = this.#room(lineBytes + 4 + (isCopied ? sizeBytes : 0))
    const { bytes } = slab
    let to = slab.usedBytes
    for (let i = 0; i < lineBytes; i++) bytes[to + i] = line[i]
    to += lineBytes
    slab.view.setInt32(to, sizeBytes)
    to += 4
    if (isCopied) {
      if (typeof body === 'string') bytes.write(body, to, sizeBytes, 'utf8')
      else bytes.set(body, to)
      slab.usedBytes = to + sizeBytes
    } else {
      slab.usedBytes = to
      this.#add(typeof body === 'string' ? Buffer.from(body) : body)
    }
  }

  /** Bytes that are not copied: the caller leaves them alone until the node has answered. */
  large(bytes: Uint8Array): void {
    if (bytes.length <= COPIED_BYTES_MAX) this.text(bytes)
    else {
      this.#schedule()
      this.#add(bytes)
    }
  }

  /** Hands on all that has gathered and then `bytes`; calls back once they are with the system, or never will be. */
  written(bytes: Uint8Array, done: (error: Error | null) => void): void {
    this.flush()
    this.#output.write(bytes, (error) => done(error ?? null))
  }

  /** Hands on all that has gathered. */
  flush(): void {
    this.#isScheduled = false
    if (this.#isOver) this.end()
    if (this.#isOver || this.#isHeld) return
    const last = this.#slab
    this.#slab = null
    if (this.#parts.length === 0) {
      if (last !== null) this.#write(last)
      return
    }
    const parts = this.#parts
    this.#parts = []
    this.#output.cork()
    for (const part of parts) {
      if (part instanceof Slab) this.#write(part)
      else this.#output.write(part)
    }
    if (last !== null) this.#write(last)
    this.#output.uncork()
  }

  /** What has gathered is thrown away, and whatever comes. */
  end(): void {
    this.#isOver = true
    this.#slab = null
    this.#parts = []
  }

  #write(slab: Slab): void {
    this.#output.write(slab.bytes.subarray(0, slab.usedBytes), slab.release)
  }

  #room(sizeBytes: number): Slab {
    const slab = this.#slab
    if (slab !== null && slab.usedBytes + sizeBytes <= SLAB_BYTES) return slab
    if (slab !== null) this.#parts.push(slab)
    this.#schedule()
    this.#slab = freeSlabs.pop() ?? new Slab()
    return this.#slab
  }

  #add(bytes: Uint8Array): void {
    if (this.#slab !== null) this.#parts.push(this.#slab)
    this.#slab = null
    this.#parts.push(bytes)
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(this.#flush)
  }
}
