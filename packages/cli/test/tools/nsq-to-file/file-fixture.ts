import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { LogFields, Logger } from '@spillway/core'
import { FakeClock } from '@spillway/core/testing'
import { FileName } from '../../../src/tools/nsq-to-file/file-name.js'
import { FileSeries, type FileSeriesOptions } from '../../../src/tools/nsq-to-file/file-series.js'

/** Keeps what is said. */
export class ListLogger implements Logger {
  readonly lines: string[] = []
  level = 'debug' as const
  #add(level: string, message: string): void {
    this.lines.push(`${level}: ${message}`)
  }
  debug(message: string): void {
    this.#add('debug', message)
  }
  info(message: string): void {
    this.#add('info', message)
  }
  warn(message: string): void {
    this.#add('warn', message)
  }
  error(message: string): void {
    this.#add('error', message)
  }
  fatal(message: string): void {
    this.#add('fatal', message)
  }
  child(_: LogFields): Logger {
    return this
  }
}

/** Folders of their own, removed after each test, and series in them. */
export class FileFixture {
  folder = ''
  clock = new FakeClock()
  logger = new ListLogger()

  constructor() {
    beforeEach(() => {
      this.folder = mkdtempSync(join(tmpdir(), 'spillway-files-'))
      this.clock = new FakeClock({ wallMs: new Date(2026, 1, 3, 4, 59, 0).getTime() })
      this.logger = new ListLogger()
    })
    afterEach(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  /** By default `t.04.log` in `out`, at the hour of the clock. */
  series(options: Partial<FileSeriesOptions> & { format?: string } = {}): FileSeries {
    const { format = 't<REV>.<DATETIME>.log', outputFolder = join(this.folder, 'out') } = options
    const { workFolder = outputFolder } = options
    const isCompressed = (options.gzipLevel ?? null) !== null
    const needsRevision =
      isCompressed ||
      workFolder !== outputFolder ||
      (options.rotateSizeBytes ?? 0) > 0 ||
      (options.rotateIntervalMs ?? 0) > 0
    return new FileSeries({
      name: new FileName('t', { format, datetimeFormat: '%H', hostIdentifier: '', isCompressed, needsRevision }),
      outputFolder,
      workFolder,
      gzipLevel: null,
      rotateSizeBytes: 0,
      rotateIntervalMs: 0,
      clock: this.clock,
      logger: this.logger,
      ...options,
    })
  }

  /** What is in a folder, by name; compressed files as what they were. */
  files(name = 'out'): Record<string, string> {
    const folder = join(this.folder, name)
    const paths = (readdirSync(folder, { recursive: true }) as string[]).sort()
    const files = paths.filter((path) => statSync(join(folder, path)).isFile())
    return Object.fromEntries(
      files.map((path) => {
        const bytes = readFileSync(join(folder, path))
        return [path, (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()]
      }),
    )
  }
}

/** Writes as the writer does: into the next file when its turn is. */
export async function writeLine(series: FileSeries, line: string): Promise<void> {
  if (series.isRotationDue()) await series.rotate()
  await series.write(Buffer.from(`${line}\n`))
}
