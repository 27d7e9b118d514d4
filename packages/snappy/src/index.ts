/** Snappy as NSQ's connections speak it: the framing format, for both ends, over native code for the blocks. */
export { SnappyDecoder, SnappyEncoder } from './snappy-framing.js'
export { type SnappyLibrary, snappyLibrary } from './snappy-library.js'
