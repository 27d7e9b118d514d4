import type { Chunk } from '@spillway/core'

/** The records of a chunk one by one: where each begins and ends in its frames. */
export function offsetsOf(chunk: Chunk): Uint32Array {
  const { frames, count } = chunk
  const view = new DataView(frames.buffer, frames.byteOffset, frames.byteLength)
  const offsets = new Uint32Array(count + 1)
  for (let i = 0; i < count; i++) offsets[i + 1] = offsets[i] + 4 + view.getInt32(offsets[i])
  return offsets
}
