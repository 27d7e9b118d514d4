export { NSQ_VERSION } from './config/config.js'
export { nearest } from './config/nearest.js'
export * from './contracts/index.js'
export { sliceAttributes } from './engine/attributes.js'
export {
  type CatalogueTopic,
  type ChannelEntry,
  readCatalogue,
  type TopicEntry,
  topicWrite,
} from './engine/catalogue.js'
export { CHUNK_HEADER_BYTES, decodeChunk, encodeChunkHeader } from './engine/chunk-codec.js'
export { type CursorPage, decodeHead, decodePage } from './engine/cursor-codec.js'
export { Engine, type EngineParts } from './engine/engine.js'
export type { IdLease } from './engine/id-leases.js'
export { PAGE_RECORDS } from './engine/record-states.js'
export { type OldMessage, type OldMessages, TopicWriter, type TopicWriterOptions } from './engine/topic-writer.js'
export * from './errors.js'
export * from './listen-address.js'
export * from './names.js'
export { SystemClock } from './node/system-clock.js'
export * from './peer-address.js'
export * from './plugin.js'
export { type MemoryStats, ProcessMemory } from './process-memory.js'
export { RefusalLog, refusalsOf } from './refusal-log.js'
export * from './tokens.js'
export { spillwayVersion } from './version.js'
