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

/** A logger on standard error: pino is only loaded where it is used. @param prefix - stands before lines of text */
export async function openLogger(
  format: LogFormat,
  level: LogLevel,
  { err }: Pick<Output, 'err'>,
  prefix = '',
): Promise<Logger> {
  if (format === 'json') return (await import('./json-logger.js')).JsonLogger.create(level)
  return new TextLogger({ level, prefix, clock: new SystemClock(), write: err })
}
