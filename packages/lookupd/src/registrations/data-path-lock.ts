import { rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join, relative } from 'node:path'
import { BrokerError, type Logger } from '@spillway/core'

const FILE_NAME = 'nsqlookupd.lock'
/** Systems take 103 or 107, and what is longer may be cut off without a word. */
const PATH_BYTES_MAX = 103

/**
 * Keeps a second process from a data path: two would write over each other's file. It is a Unix socket on which the process
 * listens, since the system closes that however the process ends; a file with its number would have to be guessed about.
 */
export class DataPathLock {
  readonly #dataPath: string
  readonly #path: string
  readonly #logger: Logger
  #server: Server | null = null

  constructor(dataPath: string, logger: Logger) {
    this.#dataPath = dataPath
    const path = join(dataPath, FILE_NAME)
    const fromHere = relative('', path)
    this.#path = fromHere.length < path.length ? fromHere : path
    this.#logger = logger
  }

  /** Where there can be no socket, which is logged, there is no lock. @throws BrokerError `E_STORAGE_LOCKED` */
  async take(): Promise<void> {
    let failure: NodeJS.ErrnoException | null =
      Buffer.byteLength(this.#path) > PATH_BYTES_MAX
        ? new Error(`${this.#path} has more than ${PATH_BYTES_MAX} bytes`)
        : await this.#listen()
    if (failure?.code === 'EADDRINUSE') {
      if (await isAnswered(this.#path)) {
        const what = `data path ${this.#dataPath} is in use by another nsqlookupd: give each its own, or stop that one`
        throw new BrokerError('E_STORAGE_LOCKED', what)
      }
      await rm(this.#path, { force: true }) // of a process that was killed
      failure = await this.#listen()
    }
    if (failure === null) return
    this.#logger.warn(`data path ${this.#dataPath} cannot be locked: see that no other nsqlookupd uses it`, {
      error: failure.message,
    })
  }

  /** Idempotent, also without {@link take}. */
  async release(): Promise<void> {
    const server = this.#server
    this.#server = null
    if (server !== null) await new Promise((resolve) => server.close(resolve))
  }

  #listen(): Promise<NodeJS.ErrnoException | null> {
    return new Promise((resolve) => {
      const server = createServer((socket) => socket.destroy())
      server.once('error', resolve)
      server.listen(this.#path, () => {
        server.off('error', resolve).on('error', () => {}) // one that could not ask whether it is in use asks again
        this.#server = server.unref()
        resolve(null)
      })
    })
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
