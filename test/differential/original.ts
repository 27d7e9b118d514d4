import { execFileSync } from 'node:child_process'
import { delimiter, join } from 'node:path'

/** An executable of the original nsqd: the one that `SPILLWAY_REAL_NSQD` names, or the first in the PATH that is none of ours. Null when there is none. */
export function originalNsqd(): string | null {
  const named = process.env.SPILLWAY_REAL_NSQD
  const candidates = named ? [named] : (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'nsqd'))
  return candidates.find(isOriginal) ?? null
}

function isOriginal(path: string): boolean {
  try {
    return /^nsqd v1\.\S+ \(built w\/go/.test(
      execFileSync(path, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    )
  } catch {
    return false
  }
}
