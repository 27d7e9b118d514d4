import type { LogFields, Logger, LogLevel } from '@spillway/core'
import { type DestinationStream, type Logger as Pino, pino, stdTimeFunctions } from 'pino'
import { LEVEL_RANK } from './level-rank.js'
import { plainFields } from './plain-fields.js'

/** One JSON object a line, through pino: `{"level":"info","time":"…","msg":"…"}`. */
export class JsonLogger implements Logger {
  private constructor(
    private readonly pino: Pino,
    private readonly shared: { level: LogLevel },
  ) {}

  /** @param destination - standard error without it, written synchronously, so that the last line before an exit is not lost */
  static create(level: LogLevel, destination: DestinationStream = pino.destination({ fd: 2, sync: true })): JsonLogger {
    const options = {
      level: 'debug',
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
    }
    return new JsonLogger(pino(options, destination), { level })
  }

  get level(): LogLevel {
    return this.shared.level
  }

  set level(level: LogLevel) {
    this.shared.level = level
  }

  debug(message: string, fields?: LogFields): void {
    this.write('debug', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.write('info', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.write('warn', message, fields)
  }

  error(message: string, fields?: LogFields): void {
    this.write('error', message, fields)
  }

  fatal(message: string, fields?: LogFields): void {
    this.write('fatal', message, fields)
  }

  child(fields: LogFields): Logger {
    return new JsonLogger(this.pino.child(plainFields(fields)), this.shared)
  }

  /** pino's children keep the level that they were made with; ours follow their parent's. */
  private write(level: LogLevel, message: string, fields?: LogFields): void {
    if (LEVEL_RANK[level] < LEVEL_RANK[this.shared.level]) return
    if (fields === undefined) this.pino[level](message)
    else this.pino[level](plainFields(fields), message)
  }
}
