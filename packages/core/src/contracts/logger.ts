export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/** Fields of a log line; values are written as JSON. */
export type LogFields = Readonly<Record<string, unknown>>

/** Structured log. Never called per message. Implementations never throw. */
export interface Logger {
  /** Lines below this level are dropped; may change at run time. */
  level: LogLevel
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  fatal(message: string, fields?: LogFields): void
  /** A logger that adds `fields` to every line, and follows this one's level. */
  child(fields: LogFields): Logger
}
