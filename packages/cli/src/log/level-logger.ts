import type { LogFields, Logger, LogLevel } from '@spillway/core'

const LEVEL_RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, fatal: 4 }

/** The level of a logger and all its children: they follow their parent's. */
export interface SharedLevel {
  level: LogLevel
}

/** What loggers have in common: levels. How a line looks is for those that extend this. */
export abstract class LevelLogger implements Logger {
  protected readonly shared: SharedLevel

  constructor(shared: SharedLevel) {
    this.shared = shared
  }

  get level(): LogLevel {
    return this.shared.level
  }

  set level(level: LogLevel) {
    this.shared.level = level
  }

  debug(message: string, fields?: LogFields): void {
    this.log('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.log('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.log('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.log('error', message, fields)
  }

  fatal(message: string, fields?: LogFields): void {
    this.log('fatal', message, fields)
  }

  abstract child(fields: LogFields): Logger

  /** Writes one line. */
  protected abstract write(level: LogLevel, message: string, fields: LogFields | undefined): void

  private log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (LEVEL_RANK[level] >= LEVEL_RANK[this.shared.level]) this.write(level, message, fields)
  }
}
