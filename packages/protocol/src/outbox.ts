import type { BlockPool } from './block-pool.js'
import { BLOCK_SIZE_BYTES } from './block-pool.js'
import { OK_FRAME } from './frames.js'
import type { ReplySink } from './reply-queue.js'
import type { SessionOutput } from './session-output.js'
import type { TurnQueue, TurnTask } from './turn-queue.js'

/** What one connection may have waiting for its peer. Above it, messages stop until some have left. */
export const OUTPUT_SIZE_BYTES_MAX = 256 * 1024
/** A run of messages from here on goes out as a slice of the log, below it is copied next to its neighbours. */
export const SLICE_SIZE_BYTES_MIN = 16 * 1024
/** Below it what is staged is copied for an output that keeps what it is given: less than a whole block is then kept. */
const KEPT_BLOCK_BYTES_MIN = 16 * 1024
/** Up to here a loop copies faster than a call does. */
const LOOP_COPY_SIZE_BYTES_MAX = 48

/**
 * Gathers what a session sends in one turn of the event loop, so that it leaves in one write.
 *
 * ```
 *   small runs, replies -> block of the turn -> output      one copy, one write
 *   large runs ------------------------------> output      no copy
 * ```
 */
export class Outbox implements ReplySink {
  readonly #output: SessionOutput
  readonly #pool: BlockPool
  readonly #turns: TurnQueue
  readonly #task: TurnTask
  #block: Buffer | null = null
  #stagedBytes = 0
  #writtenBytes = 0
  /** Reply bytes since the peer was last up to date: a peer that does not read its replies may not go on asking. */
  #replyBytes = 0
  /** The output kept the last block, as one that encodes always does. */
  #keepsBlocks = false
  /** Something is staged that may not wait for a buffer to fill up. */
  #isUrgent = false

  /** @param task - called at the end of a turn in which something was staged; it flushes, or waits for more */
  constructor(output: SessionOutput, pool: BlockPool, turns: TurnQueue, task: TurnTask) {
    this.#output = output
    this.#pool = pool
    this.#turns = turns
    this.#task = task
  }

  get stagedBytes(): number {
    return this.#stagedBytes
  }

  /** Bytes that the operating system has not taken. */
  get outstandingBytes(): number {
    return this.#stagedBytes + this.#output.pendingBytes
  }

  /** Bytes that the operating system has taken since the connection began. */
  get takenBytes(): number {
    return this.#writtenBytes - this.#output.pendingBytes
  }

  get replyBytes(): number {
    return this.#replyBytes
  }

  /** Whether a reply is staged. */
  get isUrgent(): boolean {
    return this.#isUrgent
  }

  /** Messages, `frames[start, end)`. They may be kept: they never change. */
  writeMessages(frames: Uint8Array, start: number, end: number): void {
    if (end - start < SLICE_SIZE_BYTES_MIN) {
      this.#stage(frames, start, end)
      return
    }
    this.flush()
    const run = frames.subarray(start, end)
    // A run that will wait is copied: for the sake of 16 kB, a stuck peer must not keep a megabyte of the log alive.
    this.#output.write(this.#output.pendingBytes > 0 ? Buffer.from(run) : run)
    this.#writtenBytes += end - start
    this.#turns.add(this.#task)
  }

  replyOk(): void {
    this.reply(OK_FRAME)
  }

  reply(frame: Uint8Array): void {
    this.#replyBytes += frame.length
    this.#isUrgent = true
    this.#stage(frame, 0, frame.length)
  }

  /** Hands what is staged to the output. */
  flush(): void {
    const block = this.#block
    if (block === null) return
    const staged = block.subarray(0, this.#stagedBytes)
    this.#writtenBytes += this.#stagedBytes
    this.#block = null
    this.#stagedBytes = 0
    this.#isUrgent = false
    // Where it will wait, or is likely to: exactly its bytes, not a whole block. Many small writes must not pin a block each.
    const isCopied = this.#output.pendingBytes > 0 || (this.#keepsBlocks && staged.length < KEPT_BLOCK_BYTES_MIN)
    this.#keepsBlocks = !this.#output.write(isCopied ? Buffer.from(staged) : staged)
    if (isCopied || !this.#keepsBlocks) this.#pool.give(block)
    this.noteDrain()
  }

  /** The output may have got rid of something. */
  noteDrain(): void {
    if (this.#output.pendingBytes === 0) this.#replyBytes = 0
  }

  /** Forgets what is staged. */
  release(): void {
    if (this.#block !== null) this.#pool.give(this.#block)
    this.#block = null
    this.#stagedBytes = 0
  }

  #stage(bytes: Uint8Array, start: number, end: number): void {
    this.#turns.add(this.#task)
    let at = start
    while (at < end) {
      if (this.#stagedBytes === BLOCK_SIZE_BYTES) this.flush()
      this.#block ??= this.#pool.take()
      const partEnd = Math.min(end, at + BLOCK_SIZE_BYTES - this.#stagedBytes)
      copyInto(this.#block, this.#stagedBytes, bytes, at, partEnd)
      this.#stagedBytes += partEnd - at
      at = partEnd
    }
  }
}

function copyInto(target: Buffer, targetAt: number, bytes: Uint8Array, start: number, end: number): void {
  if (end - start > LOOP_COPY_SIZE_BYTES_MAX) {
    target.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), targetAt)
    return
  }
  let to = targetAt
  for (let from = start; from < end; from++) target[to++] = bytes[from]
}
