import { access } from 'node:fs/promises'
import { join } from 'node:path'

/** What nsqd writes at its start, and whenever a topic or channel comes or goes: a data path with it is that of an nsqd. */
export const METADATA_FILE = 'nsqd.dat'

/** Whether a folder is the data path of an nsqd. */
export async function isNsqdDataPath(folder: string): Promise<boolean> {
  try {
    await access(join(folder, METADATA_FILE))
    return true
  } catch {
    return false
  }
}
