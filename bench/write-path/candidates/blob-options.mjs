/** Automatic blob garbage collection rewrites the oldest quarter of the blobs in each compaction: 2.7 bytes written for a byte, not 2.0. */
export const BLOB_OPTIONS = { enableBlobFiles: true, minBlobSize: 4096, enableBlobGarbageCollection: false }
