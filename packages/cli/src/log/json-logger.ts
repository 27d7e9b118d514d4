import type { LogFields, Logger, LogLevel } from '@spillway/core'
import { type DestinationStream, type Logger as Pino, pino, stdTimeFunctions } from 'pino'
import { LevelLogger, type SharedLevel } from './level-logger.js'
import { plainFields } from './plain-fields.js'

/** One JSON object a line, through pino: `{"level":"info","time":"…","msg":"…"}`. */
export class JsonLogger extends LevelLogger {
  private readonly pino: Pino

  private constructor(logger: Pino, shared: SharedLevel) {
    super(shared)
    this.pino = logger
  }

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

  child(fields: LogFields): Logger {
    return new JsonLogger(this.pino.child(plainFields(fields)), this.shared)
  }

  protected write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    if (fields === undefined) this.pino[level](message)
    else this.pino[level](plainFields(fields), message)
  }
}
