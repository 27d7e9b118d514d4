import { readFile } from 'node:fs/promises'
import { ioError } from './io-error.js'

/** A place in a queue. */
export interface QueuePosition {
  readonly file: number
  readonly offset: number
}

/**
 * What nsqd notes of a queue, as three lines: `depth`, `file,offset` where reading stands, and `file,offset` where writing does.
 * It may lag behind after an unclean stop: then some records come again, as with nsqd.
 */
export interface QueueMeta {
  readonly depth: number
  readonly read: QueuePosition
  readonly write: QueuePosition
}

/** Null when there is none, `'nonsense'` when it cannot be. @throws BrokerError `E_STORAGE_IO`, with the path */
export async function readQueueMeta(path: string): Promise<QueueMeta | 'nonsense' | null> {
  try {
    return parseQueueMeta(await readFile(path, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw ioError(path, error)
  }
}

function parseQueueMeta(text: string): QueueMeta | 'nonsense' {
  const match = /^(-?\d+)\n(\d+),(\d+)\n(\d+),(\d+)\n?$/.exec(text)
  if (match === null) return 'nonsense'
  const [depth, readFileNumber, readOffset, writeFileNumber, writeOffset] = match.slice(1).map(Number)
  const isSafe = [readFileNumber, readOffset, writeFileNumber, writeOffset].every(Number.isSafeInteger)
  if (!isSafe || readFileNumber > writeFileNumber) return 'nonsense'
  const read = { file: readFileNumber, offset: readOffset }
  return { depth, read, write: { file: writeFileNumber, offset: writeOffset } }
}
