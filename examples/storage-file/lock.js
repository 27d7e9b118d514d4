import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BrokerError } from '@spillway/core'
import { attempt } from './journal.js'

/** Folders that this very process has locked: its own process id in a lock file says too little. */
const held = new Set()

/**
 * Locks the folder for this process. A lock whose process is gone is taken over. (Two that take over the same lock at
 * the very same moment may both believe that they have it; a storage for more than one machine's use would ask the
 * system for a real lock.)
 */
export function lock(path) {
  const file = join(path, 'lock')
  if (held.has(path)) throw new BrokerError('E_STORAGE_LOCKED', `${path} is in use by this process`)
  const owner = readOwner(file)
  if (owner !== null && owner !== process.pid && isAlive(owner)) {
    throw new BrokerError('E_STORAGE_LOCKED', `${path} is in use by process ${owner}`)
  }
  attempt(file, () => {
    rmSync(file, { force: true })
    writeFileSync(file, String(process.pid), { flag: 'wx' })
  })
  held.add(path)
}

export function unlock(path) {
  rmSync(join(path, 'lock'), { force: true })
  held.delete(path)
}

function readOwner(file) {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
  return !isZombie(pid)
}

/** Whether it was killed and its parent has not asked after it yet. Only Linux says so. */
function isZombie(pid) {
  try {
    // The name in front of the state may itself have parentheses in it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.startsWith('Z', stat.lastIndexOf(')') + 2)
  } catch {
    return false
  }
}
