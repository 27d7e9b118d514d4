import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it that are missing. Node's own, `recursive: true`, never returns, and keeps a processor busy, where a
 * folder is there and says of everything in it that it cannot be: `/proc` does, and so may what a network mounts.
 *
 * @throws Error of the system when one of them cannot be made, or is no folder
 */
export async function makeFolders(path: string, mode: number): Promise<void> {
  if (await isMade(path, mode)) return
  await makeFolders(dirname(path), mode)
  // The one above is there now: what is said this time is final.
  await mkdir(path, { mode }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** False when one above it is missing. What is there and is no folder shows when a file in it is opened. */
async function isMade(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode })
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'EISDIR') return true
    if (code === 'ENOENT' && dirname(path) !== path) return false
    throw error
  }
}
