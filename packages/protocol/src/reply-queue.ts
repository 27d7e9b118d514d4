const SLOTS_MIN = 16
/** What a slot holds; from `waiting` upwards it waits, and the rest is the tag that it was reserved with. */
const Slot = { ok: 0, frame: 1, waiting: 2 } as const

/** Where replies go, in order. */
export interface ReplySink {
  replyOk(): void
  reply(frame: Uint8Array): void
}

/**
 * Replies leave in the order of the commands, though some of them wait for storage. A ring with a slot per command that
 * has not been answered; an answer goes on when everything before it has gone.
 *
 * ```
 *      head                    tail
 *   … | waiting | ok | waiting | …        the ok goes out together with the head's answer
 * ```
 *
 * A slot's number, its token, never comes again.
 */
export class ReplyQueue {
  readonly #sink: ReplySink
  #slots = new Uint8Array(SLOTS_MIN)
  /** Answers that are not `OK`, by token. */
  readonly #frames = new Map<number, Uint8Array>()
  #head = 0
  #tail = 0

  constructor(sink: ReplySink) {
    this.#sink = sink
  }

  /** Replies that have not left. */
  get size(): number {
    return this.#tail - this.#head
  }

  /** Reserves the next place for a reply that comes later. `tag`, 0 … 253, is given back by {@link tagOf} until then. */
  reserve(tag: number): number {
    return this.#push(Slot.waiting + tag)
  }

  tagOf(token: number): number {
    return this.#slots[token & (this.#slots.length - 1)] - Slot.waiting
  }

  /** Answers `OK` at a reserved place. */
  settleOk(token: number): void {
    this.#settle(token, Slot.ok)
  }

  /** Answers with `frame` at a reserved place. */
  settle(token: number, frame: Uint8Array): void {
    if (token < this.#tail) this.#frames.set(token, frame)
    this.#settle(token, Slot.frame)
  }

  /** Answers with `frame` after everything that was reserved before. */
  push(frame: Uint8Array): void {
    if (this.#head === this.#tail) this.#sink.reply(frame)
    else this.#frames.set(this.#push(Slot.frame), frame)
  }

  /** Forgets the replies behind `token`, also those still to come. Nothing is reserved or pushed afterwards. */
  dropAfter(token: number): void {
    for (let dropped = token + 1; dropped < this.#tail; dropped++) this.#frames.delete(dropped)
    this.#tail = Math.min(this.#tail, token + 1)
  }

  #push(slot: number): number {
    if (this.size === this.#slots.length) this.#grow()
    const token = this.#tail++
    this.#slots[token & (this.#slots.length - 1)] = slot
    return token
  }

  #settle(token: number, slot: number): void {
    if (token >= this.#tail) return // dropped
    this.#slots[token & (this.#slots.length - 1)] = slot
    if (token === this.#head) this.#advance()
  }

  #advance(): void {
    const mask = this.#slots.length - 1
    while (this.#head < this.#tail) {
      const slot = this.#slots[this.#head & mask]
      if (slot >= Slot.waiting) break
      const token = this.#head++
      if (slot === Slot.ok) this.#sink.replyOk()
      else this.#sendFrame(token)
    }
  }

  #sendFrame(token: number): void {
    const frame = this.#frames.get(token) as Uint8Array
    this.#frames.delete(token)
    this.#sink.reply(frame)
  }

  #grow(): void {
    const slots = new Uint8Array(2 * this.#slots.length)
    for (let token = this.#head; token < this.#tail; token++) {
      slots[token & (slots.length - 1)] = this.#slots[token & (this.#slots.length - 1)]
    }
    this.#slots = slots
  }
}
