import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Folders that must not outlive this process. */
const made = new Set<string>()

/** A folder for one broker's data; it goes with {@link removeDataPath}, or when this process ends. */
export function makeDataPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-bench-'))
  made.add(folder)
  return folder
}

export function removeDataPath(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  made.delete(folder)
}

export function removeAllDataPaths(): void {
  for (const folder of made) removeDataPath(folder)
}

/** Of `st_blocks`, on every system. */
const BLOCK_SIZE_BYTES = 512

/** What the folder takes of the disk, holes not counted. Files that go while it is read count as gone. */
export function readFolderBytes(folder: string): number {
  let sizeBytes = 0
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) sizeBytes += readFolderBytes(path)
      else sizeBytes += (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * BLOCK_SIZE_BYTES
    }
  } catch {
    // The folder itself has just gone.
  }
  return sizeBytes
}
