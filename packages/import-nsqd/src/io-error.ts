import { BrokerError } from '@spillway/core'

/** Runs what touches a file or a folder. @throws BrokerError `E_STORAGE_IO`, with the path, for whatever the system says */
export async function onDisk<T>(path: string, touch: () => Promise<T>): Promise<T> {
  try {
    return await touch()
  } catch (cause) {
    throw ioError(path, cause)
  }
}

export function ioError(path: string, cause: unknown): BrokerError {
  if (cause instanceof BrokerError) return cause
  const { code, message } = cause as NodeJS.ErrnoException
  const reason = code === 'ENOENT' ? 'no such file or folder' : message
  return new BrokerError('E_STORAGE_IO', `${path}: ${reason}`, { cause })
}
