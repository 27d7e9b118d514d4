import type { LogFields, Logger, LogLevel } from '../contracts/logger.js'

export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'fatal']

/** Keeps what is logged, so that a test can look at it and prints nothing. */
export class TestLogger implements Logger {
  /** What was logged here, by the loggers that it is a child of, and by its children: one list. */
  readonly lines: LogLine[]
  readonly #parent: TestLogger | null
  readonly #fields: LogFields
  #level: LogLevel = 'debug'

  constructor(parent: TestLogger | null = null, fields: LogFields = {}) {
    this.#parent = parent
    this.#fields = fields
    this.lines = parent === null ? [] : parent.lines
  }

  get level(): LogLevel {
    return this.#parent === null ? this.#level : this.#parent.level
  }

  set level(level: LogLevel) {
    if (this.#parent === null) this.#level = level
    else this.#parent.level = level
  }

  /** The messages of one level, in order. */
  messages(level: LogLevel): readonly string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.message)
  }

  debug(message: string, fields?: LogFields): void {
    this.#log('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields)
  }

  fatal(message: string, fields?: LogFields): void {
    this.#log('fatal', message, fields)
  }

  child(fields: LogFields): TestLogger {
    return new TestLogger(this, { ...this.#fields, ...fields })
  }

  #log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.level)) return
    this.lines.push({ level, message, fields: { ...this.#fields, ...fields } })
  }
}
