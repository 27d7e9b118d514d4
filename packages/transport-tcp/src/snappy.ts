/** The framing of snappy, for programs that are the other end of a connection. */
export { SnappyDecoder, SnappyEncoder } from './snappy-framing.js'
export { type SnappyLibrary, snappyLibrary } from './snappy-library.js'
