import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { BrokerError } from '@spillway/core'
import { ioError, onDisk } from './io-error.js'

/** A process that was killed a moment ago still has its lock for a moment. */
const TRIES = 10
const TRY_INTERVAL_MS = 100

/**
 * The data path of an nsqd, with the lock that nsqd itself takes on it (`flock` on the folder), so that none starts there
 * meanwhile. Node has no such call: the program `flock` holds it, and lets it go when this process ends, however it ends. Where
 * that program is missing, the list of locks of Linux is looked at once; elsewhere nobody can say.
 */
export class LockedDataPath {
  readonly path: string
  readonly #holder: ChildProcess | null

  private constructor(path: string, holder: ChildProcess | null) {
    this.path = path
    this.#holder = holder
  }

  /** @throws BrokerError `E_STORAGE_LOCKED` while an nsqd has it, `E_STORAGE_IO` */
  static async lock(path: string): Promise<LockedDataPath> {
    const found = await onDisk(path, () => stat(path))
    if (!found.isDirectory()) throw new BrokerError('E_STORAGE_IO', `${path}: this is no folder`)
    for (let tries = 1; tries <= TRIES; tries++) {
      const holder = await tryLock(path)
      if (holder === 'missing') break
      if (holder !== 'taken') return new LockedDataPath(path, holder)
      if (tries === TRIES) throw inUse(path, await lockHolder(path))
      await delay(TRY_INTERVAL_MS)
    }
    const pid = await lockHolder(path)
    if (pid !== null) throw inUse(path, pid)
    return new LockedDataPath(path, null)
  }

  /** Idempotent. */
  async release(): Promise<void> {
    const holder = this.#holder
    if (holder === null || holder.exitCode !== null || holder.signalCode !== null) return
    const exited = once(holder, 'exit')
    holder.stdin?.end()
    await exited
  }
}

/** `cat` says back what it is told as soon as it runs, that is, under the lock, and ends when nobody holds its input any more. */
async function tryLock(path: string): Promise<ChildProcess | 'taken' | 'missing'> {
  // Detached: an interrupt from the terminal is this process's to handle.
  const holder = spawn('flock', ['-n', path, 'cat'], { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  holder.stdin.on('error', () => {}) // it has ended already
  holder.stdin.write('locked')
  let complaint = ''
  holder.stderr.on('data', (text) => {
    complaint += text
  })
  const outcome = await Promise.race([
    once(holder.stdout, 'data').then(() => 'locked' as const),
    once(holder, 'close').then(
      ([code]) => code as number,
      () => null, // there is no such program
    ),
  ])
  if (outcome === 'locked') return holder
  return outcome === 1 && complaint === '' ? 'taken' : 'missing'
}

function inUse(path: string, pid: number | null): BrokerError {
  const who = pid === null ? 'an nsqd' : `process ${pid}`
  return new BrokerError('E_STORAGE_LOCKED', `${path} is in use by ${who}: stop that nsqd first`)
}

/** The process that has an exclusive lock on the folder, as Linux lists it; null where there is none, or nobody can say. */
async function lockHolder(path: string): Promise<number | null> {
  let found: { dev: bigint; ino: bigint }
  try {
    found = await stat(path, { bigint: true })
  } catch (cause) {
    throw ioError(path, cause)
  }
  let locks: string
  try {
    locks = await readFile('/proc/locks', 'utf8')
  } catch {
    return null // another system, or a container that does not show them
  }
  return holderIn(locks, found)
}

/**
 * The file is named as `MAJOR:MINOR:INODE`, device numbers in base 16. File systems without a device of their own (major 0: btrfs, overlays)
 * may show another minor there than `stat` does: then the inode decides, rather too often than too seldom.
 */
export function holderIn(locks: string, { dev, ino }: { readonly dev: bigint; readonly ino: bigint }): number | null {
  const major = Number(((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn))
  const minor = Number((dev & 0xffn) | ((dev >> 12n) & ~0xffn))
  for (const line of locks.split('\n')) {
    const match = /^\d+: FLOCK +\w+ +\w+ +(\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line)
    if (match === null) continue
    const [, pid, lockMajor, lockMinor, inode] = match
    if (BigInt(inode) !== ino || Number.parseInt(lockMajor, 16) !== major) continue
    if (major === 0 || Number.parseInt(lockMinor, 16) === minor) return Number(pid)
  }
  return null
}
