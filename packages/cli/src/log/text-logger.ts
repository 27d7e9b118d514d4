import type { Clock, LogFields, Logger, LogLevel } from '@spillway/core'
import { LevelLogger, type SharedLevel } from './level-logger.js'
import { plainFields } from './plain-fields.js'

export interface TextLoggerOptions {
  readonly level: LogLevel
  /** Stands before every line; nsqd's is `[nsqd] `. */
  readonly prefix: string
  readonly clock: Pick<Clock, 'wallMs'>
  /** Takes whole lines. */
  write(line: string): void
}

const LEVEL_NAMES: Readonly<Record<LogLevel, string>> = {
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARNING',
  error: 'ERROR',
  fatal: 'FATAL',
}

/** Lines as nsqd writes them: `[nsqd] 2026/11/21 03:29:42.123456 INFO: text`, in local time; fields follow as `key=value`. */
export class TextLogger extends LevelLogger {
  private readonly options: TextLoggerOptions
  private readonly fields: LogFields

  constructor(options: TextLoggerOptions, fields: LogFields = {}, shared: SharedLevel = { level: options.level }) {
    super(shared)
    this.options = options
    this.fields = fields
  }

  child(fields: LogFields): Logger {
    return new TextLogger(this.options, { ...this.fields, ...fields }, this.shared)
  }

  protected write(level: LogLevel, message: string, fields: LogFields | undefined): void {
    const { prefix, clock } = this.options
    const pairs = Object.entries(plainFields({ ...this.fields, ...fields }))
    const suffix = pairs.map(([key, value]) => ` ${key}=${JSON.stringify(value)}`).join('')
    this.options.write(`${prefix}${formatTime(clock.wallMs())} ${LEVEL_NAMES[level]}: ${message}${suffix}\n`)
  }
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

function formatTime(wallMs: number): string {
  const time = new Date(wallMs)
  const day = `${time.getFullYear()}/${pad(time.getMonth() + 1)}/${pad(time.getDate())}`
  const micros = pad(Math.floor((wallMs * 1000) % 1_000_000), 6)
  return `${day} ${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}.${micros}`
}
