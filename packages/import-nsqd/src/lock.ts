import { readFile, stat } from 'node:fs/promises'

/**
 * Whether another process holds nsqd's lock on its data path (`flock` on the folder). Node has no such call; Linux lists
 * the locks of all processes. Null where nobody can say.
 */
export async function lockHolder(dataPath: string): Promise<number | null> {
  const { ino } = await stat(dataPath)
  let locks: string
  try {
    locks = await readFile('/proc/locks', 'utf8')
  } catch {
    return null // another system, or a container that does not show them
  }
  for (const line of locks.split('\n')) {
    const [, pid, inode] = /^\d+: FLOCK +\w+ +\w+ +(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? []
    if (Number(inode) === ino) return Number(pid)
  }
  return null
}
