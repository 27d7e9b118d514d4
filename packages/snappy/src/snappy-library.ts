import { createRequire } from 'node:module'

/** What the framing needs of native code: blocks and their checksums. */
export interface SnappyLibrary {
  compress(block: Uint8Array): Buffer
  /** @throws Error */
  uncompress(block: Uint8Array): Buffer
  crc32c(bytes: Uint8Array): number
}

const require = createRequire(import.meta.url)
let loaded: SnappyLibrary | Error | null = null

/** Loaded when the first client asks for it. The Error says why it cannot be had on this platform. */
export function snappyLibrary(): SnappyLibrary | Error {
  loaded ??= load()
  return loaded
}

function load(): SnappyLibrary | Error {
  try {
    const { compressSync, uncompressSync } = require('snappy') as typeof import('snappy')
    const { crc32c } = require('@node-rs/crc32') as typeof import('@node-rs/crc32')
    return {
      compress: (block) => compressSync(block),
      uncompress: (block) => uncompressSync(block, { asBuffer: true }) as Buffer,
      crc32c: (bytes) => crc32c(bytes as Buffer),
    }
  } catch (error) {
    return error as Error
  }
}
