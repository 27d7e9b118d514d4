import { link, open, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Logger } from '@spillway/core'
import type { ToolClock } from '../common/surroundings.js'
import { type FileName, withRevision } from './file-name.js'
import { makeFolders } from './make-folders.js'
import { OutputFile } from './output-file.js'

export interface FileSeriesOptions {
  readonly name: FileName
  /** Where finished files are. */
  readonly outputFolder: string
  /** Where the file is while it is written; the same, or another folder of the same file system. */
  readonly workFolder: string
  readonly gzipLevel: number | null
  /** A file that has more than that is followed by another; 0: never. */
  readonly rotateSizeBytes: number
  /** A file that is older is followed by another; 0: never. */
  readonly rotateIntervalMs: number
  readonly clock: ToolClock
  readonly logger: Logger
}

const FOLDER_MODE = 0o770
const SECOND_MS = 1_000

/**
 * The files of one topic, one after the other: which one is written to, and when the next one's turn is.
 *
 * ```
 *   open: the first revision that is neither in the work folder (where it must be new) nor in the output folder
 *   close: sync, and from the work folder to the output folder, by a hard link: nothing is ever overwritten there
 * ```
 * Calls must not overlap. They throw what the file system says, with what was to be done.
 */
export class FileSeries {
  readonly #options: FileSeriesOptions
  readonly #hasWorkFolder: boolean
  readonly #isExclusive: boolean
  #file: OutputFile | null = null
  /** With the place for a revision; of the last file that was opened. */
  #name = ''
  #revision = 0
  #openedMs = 0
  /** The name changes with the seconds at most; this is what it is in this one. */
  #currentName = ''
  #currentNameSecond = Number.NaN

  constructor(options: FileSeriesOptions) {
    this.#options = options
    this.#hasWorkFolder = options.workFolder !== options.outputFolder
    this.#isExclusive = options.gzipLevel !== null || options.rotateIntervalMs > 0
  }

  get isOpen(): boolean {
    return this.#file !== null
  }

  /** The next line belongs into another file than the one that is open, if any is. */
  isRotationDue(): boolean {
    const file = this.#file
    if (file === null || this.#nameNow() !== this.#name) return true
    const { rotateIntervalMs, clock } = this.#options
    if (rotateIntervalMs > 0 && clock.monotonicMs() - this.#openedMs > rotateIntervalMs) return true
    return this.isFullWith(0)
  }

  /** With so much more, the file has more than it is to have. */
  isFullWith(moreBytes: number): boolean {
    const { rotateSizeBytes } = this.#options
    return rotateSizeBytes > 0 && (this.#file?.sizeBytes ?? 0) + moreBytes > rotateSizeBytes
  }

  #nameNow(): string {
    const wallMs = this.#options.clock.wallMs()
    const second = Math.floor(wallMs / SECOND_MS)
    if (second !== this.#currentNameSecond) {
      this.#currentName = this.#options.name.at(wallMs)
      this.#currentNameSecond = second
    }
    return this.#currentName
  }

  /** Closes the file that is open, if any is, and opens the next one. */
  async rotate(): Promise<void> {
    await this.close()
    const name = this.#nameNow()
    this.#revision = name === this.#name ? this.#revision + 1 : 0
    this.#name = name
    for (;;) {
      const file = await this.#openRevision()
      if (file !== null) {
        this.#file = file
        this.#openedMs = this.#options.clock.monotonicMs()
        this.#options.logger.info(`opened ${file.path}`)
        return
      }
      this.#revision++
    }
  }

  /** Null when that one is somebody's already. */
  async #openRevision(): Promise<OutputFile | null> {
    const { workFolder, outputFolder, gzipLevel, logger } = this.#options
    const name = withRevision(this.#name, this.#revision)
    const path = join(workFolder, name)
    if (this.#hasWorkFolder) {
      const finished = join(outputFolder, name)
      await doing('create the folder of', finished, makeFolder(dirname(finished)))
      if (await exists(finished)) {
        logger.warn(`there is a file ${finished} already`)
        return null
      }
    }
    await doing('create the folder of', path, makeFolder(dirname(path)))
    if (this.#hasWorkFolder) await refuseOtherFileSystem(dirname(path), dirname(join(outputFolder, name)))
    let file: OutputFile
    try {
      file = await OutputFile.open({ path, isExclusive: this.#isExclusive, gzipLevel })
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw failure('open', path, error)
      logger.warn(`there is a file ${path} already`)
      return null
    }
    if (this.#options.rotateSizeBytes > 0 && file.sizeBytes > this.#options.rotateSizeBytes) {
      await doing('close', path, file.close())
      return null
    }
    try {
      await doing('sync the folder of', path, syncFolder(dirname(path)))
    } catch (error) {
      await file.close()
      throw error
    }
    return file
  }

  /** Whole lines, to the file that is open. */
  async write(lines: Buffer): Promise<void> {
    const file = this.#opened()
    await doing('write to', file.path, file.write(lines))
  }

  /** What was written is on the disk when it resolves. */
  async sync(): Promise<void> {
    if (this.#file !== null) await doing('sync', this.#file.path, this.#file.sync())
  }

  /** Finishes the file that is open, if any is: syncs it, and moves it where finished files are. */
  async close(): Promise<void> {
    const file = this.#file
    if (file === null) return
    this.#file = null
    await doing('close', file.path, file.close())
    if (this.#hasWorkFolder) await this.#move(file.path)
  }

  async #move(from: string): Promise<void> {
    const { outputFolder, logger } = this.#options
    for (let revision = this.#revision; ; revision++) {
      const to = join(outputFolder, withRevision(this.#name, revision))
      try {
        await link(from, to)
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw failure(`move ${from} to`, to, error)
        logger.warn(`there is a file ${to} already`)
        continue
      }
      await doing('sync the folder of', to, syncFolder(dirname(to)))
      await doing('remove', from, unlink(from))
      logger.info(`moved ${from} to ${to}`)
      return
    }
  }

  #opened(): OutputFile {
    if (this.#file === null) throw new Error('no file is open')
    return this.#file
  }
}

/** With those that it is in; the names of new ones are on the disk then. @param path - absolute */
async function makeFolder(path: string): Promise<void> {
  for (const made of await makeFolders(path, FOLDER_MODE)) await syncFolder(dirname(made))
}

/** A new name is on the disk only once its folder is. Not every file system can do that with a folder. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } catch (error) {
    if (!hasCode(error, 'EINVAL') && !hasCode(error, 'ENOTSUP')) throw error
  } finally {
    await folder.close()
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw failure('look for', path, error)
  }
}

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code
}

/** Said before anything is written, and not when the first file is finished, which may be hours later. */
async function refuseOtherFileSystem(work: string, output: string): Promise<void> {
  const [{ dev: here }, { dev: there }] = await Promise.all([stat(work), stat(output)])
  if (here === there) return
  throw new Error(
    `finished files cannot be moved from ${work} to ${output}: they are on different file systems; use another --work-dir`,
  )
}

async function doing<T>(what: string, path: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw failure(what, path, error)
  }
}

/** `cannot write to /tmp/test.log: ENOSPC: no space left on device` */
function failure(what: string, path: string, error: unknown): Error {
  const [reason] = (error as Error).message.split(', ', 1)
  return new Error(`cannot ${what} ${path}: ${reason}`, { cause: error })
}
