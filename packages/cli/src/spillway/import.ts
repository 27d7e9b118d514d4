import { resolve } from 'node:path'
import { BrokerError, type Logger, type Storage } from '@spillway/core'
import { createStorage, type LoadedConfig } from '@spillway/core/node'
import type { ImportReport } from '@spillway/import-nsqd'
import type { Output } from '../output.js'

export interface ImportArguments {
  /** nsqd's data path. */
  readonly from: string
  readonly config: LoadedConfig
  /** Of a message that nsqd has. */
  readonly msgSizeBytesMax: number
  readonly json: boolean
  readonly logger: Logger
  readonly output: Output
}

/** `spillway import`. @returns the exit code: 0 all is there, 1 something could not be read and is missing, 2 nothing was done */
export async function importNsqd(args: ImportArguments): Promise<number> {
  const { config, json, logger, output, msgSizeBytesMax } = args
  const { describeDamage, describeDifference, importDataPath, LockedDataPath } = await import('@spillway/import-nsqd') // only here
  const path = resolve(args.from)
  try {
    const from = await LockedDataPath.lock(path)
    const onProgress = progressOn(output)
    const report = await withStorage(config, logger, (storage) =>
      importDataPath({ from, storage, msgSizeBytesMax, durabilityOf: () => 'process', onProgress }),
    ).finally(() => from.release())
    const problems = [...report.damages.map(describeDamage), ...report.differences.map(describeDifference)]
    if (json) output.out(`${JSON.stringify(report)}\n`)
    else output.out([...linesOf(path, report), ...problems].map((line) => `${line}\n`).join(''))
    return report.isComplete ? 0 : 1
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    if (json) output.out(`${JSON.stringify({ from: path, error: { code: error.code, detail: error.detail } })}\n`)
    output.err(`spillway: ${error.code} ${error.detail}\n`)
    return 2
  }
}

/** Opens the storage that the configuration names, uses it, and closes it again. @throws BrokerError */
export async function withStorage<T>(
  config: LoadedConfig,
  logger: Logger,
  use: (storage: Storage) => Promise<T>,
): Promise<T> {
  const storage = createStorage(config, logger)
  const { durabilities } = storage.capabilities
  if (!durabilities.includes('process')) {
    const detail = 'this storage forgets everything with the process: import into one that does not'
    throw new BrokerError('E_INVALID_OPTION', detail)
  }
  await storage.open()
  try {
    return await use(storage)
  } finally {
    await storage.close()
  }
}

const MIB = 1024 * 1024

/** A line that is written over itself, where somebody looks. */
function progressOn({ err }: Output): (messageCount: number, sizeBytes: number) => void {
  if (!process.stderr.isTTY) return () => {}
  const startedMs = performance.now()
  let toldMs = startedMs
  return (messageCount, sizeBytes) => {
    const nowMs = performance.now()
    if (nowMs - toldMs < PROGRESS_INTERVAL_MS) return
    toldMs = nowMs
    const rate = Math.round(sizeBytes / MIB / ((nowMs - startedMs) / 1000))
    err(`\r${messageCount.toLocaleString('en')} messages, ${Math.round(sizeBytes / MIB)} MiB, ${rate} MiB/s \r`)
  }
}

const PROGRESS_INTERVAL_MS = 200

function linesOf(from: string, { topics, messageCount, sizeBytes, skipped }: ImportReport): string[] {
  const lines = topics.flatMap(({ name, paused, messageCount: waiting, channels }) => [
    `${name}${paused ? ' (paused)' : ''}: ${waiting.toLocaleString('en')} messages at the topic itself`,
    ...channels.map(
      (channel) =>
        `  ${channel.name}${channel.paused ? ' (paused)' : ''}: ${channel.messageCount.toLocaleString('en')} messages`,
    ),
  ])
  const size = `${messageCount.toLocaleString('en')} messages, ${(sizeBytes / MIB).toFixed(1)} MiB`
  const left = skipped.map((name) => `left out, since it is no name: ${JSON.stringify(name)}`)
  return [...lines, '', `${size}, of ${topics.length} topics imported from ${from}`, ...left]
}
