/** What this package uses of `rocksdb-native` 3.18, which ships no types. Every call works in libuv's thread pool. */
declare module 'rocksdb-native' {
  export interface Options {
    readonly enableBlobFiles?: boolean
    readonly blobFileSize?: number
    readonly enableBlobGarbageCollection?: boolean
    /** Values of at least this size go into blob files. */
    readonly minBlobSize?: number
    /** Bytes of a memtable; when it is full it is written to a file. */
    readonly writeBufferSize?: number
    readonly maxWriteBufferNumber?: number
    readonly maxBackgroundJobs?: number
    readonly bytesPerSync?: number
    readonly createIfMissing?: boolean
    readonly readOnly?: boolean
  }

  export interface WriteBatch {
    /** `key` and `value` must not change before {@link flush} has resolved. */
    tryPut(key: Uint8Array, value: Uint8Array): void
    tryDelete(key: Uint8Array): void
    tryDeleteRange(start: Uint8Array, end: Uint8Array): void
    /** Writes all of it or nothing. */
    flush(): Promise<void>
    /** Gives it up. */
    destroy(): void
  }

  export interface CompactOptions {
    readonly blobGarbageCollectionPolicy?: number
    readonly blobGarbageCollectionAgeCutoff?: number
  }

  export default class RocksDB {
    static readonly constants: {
      readonly garbageCollectionPolicy: { readonly FORCE: number; readonly DEFAULT: number }
    }
    constructor(path: string, options?: Options)
    ready(): Promise<void>
    get(key: Uint8Array): Promise<Buffer | null>
    iterator(
      range: { readonly gte: Uint8Array; readonly lt: Uint8Array },
      options?: { readonly capacity?: number; readonly values?: boolean; readonly reverse?: boolean },
    ): AsyncIterable<{ readonly key: Buffer; readonly value: Buffer }>
    write(options?: { readonly autoDestroy?: boolean }): WriteBatch
    /** Writes the memtable to a file, and syncs that. */
    flush(): Promise<void>
    compact(options?: CompactOptions): Promise<void>
    getProperty(name: string): Promise<string | undefined>
    close(): Promise<void>
  }
}
