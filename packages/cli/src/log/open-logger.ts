import type { Logger, LogLevel } from '@spillway/core'
import { SystemClock } from '@spillway/core/node'
import type { Output } from '../output.js'
import { TextLogger } from './text-logger.js'

export const LOG_FORMATS = ['json', 'text'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** JSON for machines, text for people. */
export function defaultLogFormat(): LogFormat {
  return process.stderr.isTTY ? 'text' : 'json'
}

interface LoggerPlace {
  /** Stands before lines of text. */
  readonly prefix?: string
  /** Others write there too: lines of JSON go there as well, and not to standard error by themselves. */
  readonly isShared?: boolean
}

/** A logger on standard error: pino is only loaded where it is used. */
export async function openLogger(
  format: LogFormat,
  level: LogLevel,
  { err }: Pick<Output, 'err'>,
  { prefix = '', isShared = false }: LoggerPlace = {},
): Promise<Logger> {
  if (format === 'json') {
    const { JsonLogger } = await import('./json-logger.js')
    return isShared ? JsonLogger.create(level, { write: err }) : JsonLogger.create(level)
  }
  return new TextLogger({ level, prefix, clock: new SystemClock(), write: err })
}
