import { getHeapStatistics, setFlagsFromString } from 'node:v8'

const ROOM_BYTES_MAX = 128 * 1024 * 1024

const LOOK_EVERY_MS = 1000

/** What is asked of V8. */
export interface V8 {
  getHeapStatistics(): { readonly used_heap_size: number }
  setFlagsFromString(flags: string): void
}

/**
 * Has V8 collect less often than it would with a small heap. V8 takes slabs, which lie outside of its heap, for growth of it,
 * and marks everything again once the heap has grown by one to three times what is alive: a broker with 6 MB of objects of its
 * own did so for every 10 MB that were published, which was a third of what an MPUB cost.
 *
 * A heap that is large enough is left to V8, so at most {@link roomBytesOf} is added to what the process takes.
 */
export class HeapRoom {
  readonly #roomBytes: number
  readonly #v8: V8
  readonly #timer: NodeJS.Timeout
  #percent = 0

  /** @param memorySizeBytesMax - what messages may take */
  constructor(memorySizeBytesMax: number, engine: V8 = { getHeapStatistics, setFlagsFromString }) {
    this.#roomBytes = roomBytesOf(memorySizeBytesMax)
    this.#v8 = engine
    this.#look()
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS)
    this.#timer.unref()
  }

  /** Gives the decision back to V8. */
  close(): void {
    clearInterval(this.#timer)
    this.#grow(0)
  }

  #look(): void {
    this.#grow(growingPercent(this.#v8.getHeapStatistics().used_heap_size, this.#roomBytes))
  }

  #grow(percent: number): void {
    if (percent === this.#percent) return
    this.#percent = percent
    this.#v8.setFlagsFromString(`--heap-growing-percent=${percent}`)
  }
}

/** What may be allocated, slabs included, from one marking of the heap to the next: where memory is short, less. */
export function roomBytesOf(memorySizeBytesMax: number): number {
  return Math.min(ROOM_BYTES_MAX, Math.floor(memorySizeBytesMax / 4))
}

/**
 * By how much a heap may grow over what is alive in it.
 * @returns in hundreds of percent; 0: V8's own rule, which gives about as much room to a heap of this size
 */
export function growingPercent(liveBytes: number, roomBytes: number): number {
  const times = Math.round(roomBytes / Math.max(liveBytes, 1))
  return times < 3 ? 0 : 100 * times
}
