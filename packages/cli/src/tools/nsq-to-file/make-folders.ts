import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes a folder and those above it that are missing. Node's own, `recursive: true`, never returns, and keeps a processor busy, where a
 * folder is there and says of everything in it that it cannot be: `/proc` does, and so may what a network mounts.
 *
 * @returns those that were not there before, the outermost first
 * @throws Error of the system when one of them cannot be made, or is no folder
 */
export async function makeFolders(path: string, mode: number): Promise<readonly string[]> {
  const outcome = await tryToMake(path, mode)
  if (outcome !== 'missing above') return outcome === 'made' ? [path] : []
  const above = await makeFolders(dirname(path), mode)
  try {
    // The one above is there now: what is said this time is final.
    await mkdir(path, { mode })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return above
  }
  return [...above, path]
}

/** What is there and is no folder shows when a file in it is opened. */
async function tryToMake(path: string, mode: number): Promise<'made' | 'there' | 'missing above'> {
  try {
    await mkdir(path, { mode })
    return 'made'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || code === 'EISDIR') return 'there'
    if (code === 'ENOENT' && dirname(path) !== path) return 'missing above'
    throw error
  }
}
