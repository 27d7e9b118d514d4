import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'

export interface Dropped {
  readonly fileCount: number
  readonly sizeBytes: number
}

/**
 * What a loss of power may do to files that are only appended to: each of them is cut to the length that it had when the
 * last successful sync began. `record` is what {@link file://./sync-recorder.ts} has written.
 */
export function dropWhatWasNotSynced(directory: string, record: string): Dropped {
  const synced = readSyncedSizes(record)
  let fileCount = 0
  let sizeBytes = 0
  for (const path of filesBelow(directory)) {
    const { ino, size } = statSync(path)
    const kept = synced.get(keyOf(path, ino)) ?? 0
    if (kept >= size) continue
    truncateSync(path, kept)
    fileCount++
    sizeBytes += size - kept
  }
  return { fileCount, sizeBytes }
}

/** The path alone could be another file's by now, and so could the inode. */
const keyOf = (path: string, inode: number) => `${inode} ${path}`

function readSyncedSizes(record: string): Map<string, number> {
  const sizes = new Map<string, number>()
  if (!existsSync(record)) return sizes
  // The last line may have been cut off by the kill; nobody was told of that sync.
  for (const line of readFileSync(record, 'utf8').split('\n').slice(0, -1)) {
    const { path, inode, sizeBytes } = JSON.parse(line) as { path: string; inode: number; sizeBytes: number }
    const key = keyOf(path, inode)
    // Two syncs of a file may end in the other order than they began.
    sizes.set(key, Math.max(sizes.get(key) ?? 0, sizeBytes))
  }
  return sizes
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return []
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
