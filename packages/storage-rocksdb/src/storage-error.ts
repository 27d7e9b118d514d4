import { BrokerError } from '@spillway/core'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** An error of the system or of RocksDB as one of the storage's, with the place in its text. */
export function storageError(error: unknown, place: string): BrokerError {
  if (error instanceof BrokerError) return error
  const { code, message } = causeOf(error)
  if (FULL.has(code) || /no space left/i.test(message)) {
    return new BrokerError('E_STORAGE_FULL', `${place}: no space left on the disk`, { cause: error })
  }
  if (code === 'EEXIST' || code === 'ENOTDIR') {
    const detail = `${place}: there is a file where a folder should be; choose another data path, or move it away`
    return new BrokerError('E_STORAGE_IO', detail, { cause: error })
  }
  return new BrokerError('E_STORAGE_IO', `${place}: ${message}`, { cause: error })
}

/** The binding wraps what RocksDB says of a batch. */
function causeOf(error: unknown): { code: string; message: string } {
  if (!(error instanceof Error)) return { code: '', message: String(error) }
  if (error.cause instanceof Error) return causeOf(error.cause)
  return { code: (error as NodeJS.ErrnoException).code ?? '', message: error.message }
}
