/** Every block's size: room for one run of messages below the copying limit and some more. */
export const BLOCK_SIZE_BYTES = 32 * 1024
const FREE_BLOCKS_MAX = 64

/**
 * Staging buffers, shared by sessions: one needs a block only from its first byte of a turn until the operating system
 * has taken them, so thousands of idle sessions need none.
 */
export class BlockPool {
  readonly #free: Buffer[] = []

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE_BYTES)
  }

  /** Takes back a block that nobody reads any more. */
  give(block: Buffer): void {
    if (this.#free.length < FREE_BLOCKS_MAX) this.#free.push(block)
  }
}
