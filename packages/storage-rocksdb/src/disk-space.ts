import { rmSync, statSync } from 'node:fs'
import { open, rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Logger, TimerHandle } from '@spillway/core'

const CHECK_INTERVAL_MS = 1000
const ZEROS = Buffer.alloc(1024 * 1024)

export interface DiskSpaceParts {
  readonly folder: string
  readonly clock: Clock
  readonly logger: Logger
  /** Below this much free space publishes are refused. */
  readonly freeBytesMin: number
  /** Size of a file that is only there to be deleted when the disk is full; 0 for none. */
  readonly ballastBytes: number
}

/**
 * Watches the free space of the disk, and keeps some in hand: draining a queue writes too (cursors), and must go on
 * when others have filled the disk.
 */
export class DiskSpace {
  /** Why nothing new should be stored; null when all is well. */
  refusal: string | null = null
  readonly #parts: DiskSpaceParts
  readonly #ballastPath: string
  #timer: TimerHandle | null = null
  #hasBallast = false
  #isStopped = false
  #checking: Promise<void> = Promise.resolve()

  constructor(parts: DiskSpaceParts) {
    this.#parts = parts
    this.#ballastPath = join(parts.folder, 'ballast')
  }

  /** Before anything is opened: on a disk without room the ballast of an earlier life is given up, so that it can be. */
  async prepare(): Promise<void> {
    const { folder, ballastBytes } = this.#parts
    const found = statSync(this.#ballastPath, { throwIfNoEntry: false })
    this.#hasBallast = found !== undefined && ballastBytes > 0
    const { bavail, bsize } = await statfs(folder)
    if (bavail * bsize < ballastBytes) this.releaseBallast()
    else this.#hasBallast = found?.size === ballastBytes
  }

  /** Looks once, and from now on every second. */
  async start(): Promise<void> {
    await this.#look()
    this.#arm()
  }

  #arm(): void {
    if (this.#isStopped) return
    this.#timer = this.#parts.clock.setTimer(CHECK_INTERVAL_MS, () => {
      this.#checking = this.#check()
    })
  }

  async #check(): Promise<void> {
    try {
      const freeBytes = await this.#look()
      if (!this.#hasBallast && freeBytes > this.#parts.freeBytesMin + 2 * this.#parts.ballastBytes) {
        await this.#makeBallast()
      }
    } catch (error) {
      this.#parts.logger.warn(`${this.#parts.folder}: free space is unknown`, { error: String(error) })
    }
    this.#arm()
  }

  async #look(): Promise<number> {
    const { folder, freeBytesMin, logger } = this.#parts
    const { bavail, bsize } = await statfs(folder)
    const freeBytes = bavail * bsize
    const isShort = freeBytes < freeBytesMin
    if (isShort !== (this.refusal !== null)) {
      if (isShort)
        logger.error(`${folder}: the disk is nearly full, publishes are refused`, { freeBytes, freeBytesMin })
      else logger.info(`${folder}: the disk has room again`, { freeBytes })
    }
    this.refusal = isShort
      ? `${folder}: only ${toMiB(freeBytes)} MiB of the disk are free, less than freeDiskBytesMin (${toMiB(freeBytesMin)} MiB)`
      : null
    return freeBytes
  }

  /** Gives the ballast back to the file system. Returns whether there was any. */
  releaseBallast(): boolean {
    if (!this.#hasBallast) return false
    this.#hasBallast = false
    try {
      rmSync(this.#ballastPath, { force: true })
    } catch (error) {
      this.#parts.logger.error(`${this.#ballastPath} cannot be given up`, { error: String(error) })
      return false
    }
    this.#parts.logger.error(
      `${this.#parts.folder}: the disk is full; the ballast file was given up so that consumers can go on`,
    )
    return true
  }

  /** With real zeros: only room that is taken can be given back. */
  async #makeBallast(): Promise<void> {
    const { ballastBytes } = this.#parts
    if (ballastBytes === 0) return
    const path = `${this.#ballastPath}.new`
    const file = await open(path, 'w', 0o600)
    try {
      for (let done = 0; done < ballastBytes && !this.#isStopped; done += ZEROS.length) {
        await file.write(ZEROS, 0, Math.min(ZEROS.length, ballastBytes - done))
      }
    } finally {
      await file.close()
    }
    if (this.#isStopped) return await rm(path, { force: true })
    await rename(path, this.#ballastPath)
    this.#hasBallast = true
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    await this.#checking
  }
}

function toMiB(bytes: number): number {
  return Math.floor(bytes / 2 ** 20)
}
