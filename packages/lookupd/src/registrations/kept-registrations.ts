import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BrokerError, type Clock, isEphemeral, isValidName, type Logger, type TimerHandle } from '@spillway/core'
import { jsonList, piecesOf } from '@spillway/http'
import { DataPathLock } from './data-path-lock.js'
import { DatabaseFullError, type RegistrationDatabase } from './registration-database.js'

const FILE_NAME = 'nsqlookupd.json'
const FORMAT = 1
/** Changes are written together, this long after the first one. */
const WRITE_DELAY_MS = 1_000
/** After a write that failed. */
const RETRY_DELAY_MS = 10_000

/** The file: topics, and the channels of each. */
interface Kept {
  readonly format: typeof FORMAT
  readonly topics: readonly string[]
  readonly channels: Readonly<Record<string, readonly string[]>>
}

/**
 * Keeps which topics and channels there are in a small file, so that a topic's first message still finds its channels after
 * a restart. Producers are not kept, since they come back by themselves; nor is what is ephemeral. The file is written behind,
 * and as a whole: what a crash may take is the last second.
 */
export class KeptRegistrations {
  readonly #lock: DataPathLock
  readonly #path: string
  readonly #clock: Clock
  readonly #logger: Logger
  #database: RegistrationDatabase | null = null
  #timer: TimerHandle | null = null
  #writing: Promise<void> = Promise.resolve()
  #isChanged = false

  constructor(dataPath: string, clock: Clock, logger: Logger) {
    this.#lock = new DataPathLock(dataPath, logger)
    this.#path = join(dataPath, FILE_NAME)
    this.#clock = clock
    this.#logger = logger
  }

  /**
   * Puts into `database` what was kept. A file that cannot be understood is set aside, told, and nothing was kept then: the
   * nsqds bring it back.
   * @throws BrokerError `E_STORAGE_IO` where they are more than `database` takes, or the folder is missing or cannot be read;
   * `E_STORAGE_LOCKED` where another process keeps its own there
   */
  async load(database: RegistrationDatabase): Promise<void> {
    await this.#requireFolder()
    await this.#lock.take()
    const text = await this.#read()
    if (text !== null) await this.#restore(text, database)
    // Only now, so that what could not be loaded is not written over.
    this.#database = database
    this.#isChanged = false
  }

  /** A topic or channel has come or gone. */
  changed(): void {
    if (this.#database === null) return
    this.#isChanged = true
    this.#timer ??= this.#clock.setTimer(WRITE_DELAY_MS, () => this.#due())
  }

  /** Writes what is not written yet, and lets go of the data path. */
  async close(): Promise<void> {
    this.#stopTimer()
    await this.#writing
    await this.#write()
    this.#stopTimer() // of a write that failed
    await this.#lock.release()
  }

  #stopTimer(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #due(): void {
    this.#timer = null
    this.#writing = this.#writing.then(() => this.#write())
  }

  /** Never rejects: what could not be written is told, and tried again. */
  async #write(): Promise<void> {
    if (this.#database === null || !this.#isChanged) return
    this.#isChanged = false
    try {
      await writeWhole(this.#path, format(this.#database))
    } catch (error) {
      this.#isChanged = true
      this.#logger.error(`registrations are not kept: ${(error as Error).message}`, {
        nextTryInSeconds: RETRY_DELAY_MS / 1000,
      })
      this.#timer?.cancel()
      this.#timer = this.#clock.setTimer(RETRY_DELAY_MS, () => this.#due())
    }
  }

  async #restore(text: string, database: RegistrationDatabase): Promise<void> {
    let kept: Kept
    try {
      kept = parse(text)
    } catch (error) {
      await this.#setAside((error as Error).message)
      return
    }
    restore(kept, database)
  }

  async #requireFolder(): Promise<void> {
    const folder = dirname(this.#path)
    const stats = await stat(folder).catch(() => null)
    if (stats?.isDirectory()) return
    throw new BrokerError('E_STORAGE_IO', `data path ${folder}: no such folder; make it first, or mount its disk`)
  }

  /** Null where nothing was kept yet. */
  async #read(): Promise<string | null> {
    try {
      return await readFile(this.#path, 'utf8')
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return null
      throw new BrokerError('E_STORAGE_IO', `data path ${dirname(this.#path)}: ${message}`, { cause: error })
    }
  }

  async #setAside(reason: string): Promise<void> {
    const aside = `${this.#path}.broken`
    await rename(this.#path, aside)
    this.#logger.error(
      `${this.#path} cannot be understood: ${reason}; it is now ${aside}, and no registrations were kept`,
    )
  }
}

/** @throws BrokerError `E_STORAGE_IO` */
function restore({ topics, channels }: Kept, database: RegistrationDatabase): void {
  try {
    for (const topic of topics) database.createTopic(topic)
    for (const [topic, names] of Object.entries(channels)) {
      for (const channel of names) database.restoreChannel(topic, channel)
    }
  } catch (error) {
    if (error instanceof DatabaseFullError) throw new BrokerError('E_STORAGE_IO', `what was kept is ${error.message}`)
    throw error
  }
}

/** In parts: a change meanwhile may be in it or not, and is written afterwards in any case. */
function* format(database: RegistrationDatabase): Generator<string, void> {
  const isKept = (name: string): boolean => !isEphemeral(name)
  yield `{"format":${FORMAT},"topics":`
  yield* jsonList(database.topics.filter(isKept), onItsLine)
  let before = ',"channels":{'
  for (const topic of database.topicsWithChannels) {
    const names = isKept(topic) ? database.channelsOf(topic).filter(isKept) : []
    if (names.length === 0) {
      yield ''
      continue
    }
    yield `${before}${onItsLine(topic)}:`
    yield* jsonList(names)
    before = ','
  }
  yield before === ',' ? '}}\n' : `${before}}}\n`
}

const onItsLine = (name: string): string => `\n${JSON.stringify(name)}`

/** @throws Error with what is wrong */
function parse(text: string): Kept {
  const kept = JSON.parse(text) as Partial<Kept> | null
  if (kept?.format !== FORMAT) throw new Error(`its format is not ${FORMAT}`)
  const { topics, channels } = kept
  if (typeof channels !== 'object' || channels === null) throw new Error('it has no channels')
  for (const names of [topics, Object.keys(channels), ...Object.values(channels)]) {
    if (!Array.isArray(names)) throw new Error('a list of names is missing')
    const bad = names.find((name) => typeof name !== 'string' || !isValidName(name))
    if (bad !== undefined) throw new Error(`${JSON.stringify(bad)} is no name`)
  }
  return kept as Kept
}

/** So that a crash leaves the file as it was, or as it is to be. */
async function writeWhole(path: string, parts: Iterable<string>): Promise<void> {
  const partial = `${path}.partial`
  let file: FileHandle | null = null
  try {
    file = await open(partial, 'w')
    for (const piece of piecesOf(parts)) await file.appendFile(piece)
    await file.sync()
    await file.close()
    file = null
    await rename(partial, path)
  } catch (error) {
    await file?.close()
    await rm(partial, { force: true }).catch(() => {}) // what went wrong first is what counts
    throw error
  }
}
