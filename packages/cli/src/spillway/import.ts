import { resolve } from 'node:path'
import { BrokerError, type Logger } from '@spillway/core'
import { createStorage, type LoadedConfig } from '@spillway/core/node'
import type { ImportReport } from '@spillway/import-nsqd'
import type { Output } from '../output.js'

export interface ImportArguments {
  /** nsqd's data path. */
  readonly from: string
  readonly config: LoadedConfig
  readonly json: boolean
  readonly logger: Logger
  readonly output: Output
}

/** `spillway import`. @returns the exit code: 0 all is there, 1 something could not be read and is missing, 2 nothing was done */
export async function importNsqd({ from, config, json, logger, output }: ImportArguments): Promise<number> {
  const path = resolve(from)
  try {
    const report = await importInto(path, config, logger, progressOn(output))
    if (json) output.out(`${JSON.stringify(report)}\n`)
    else output.out(describeReport(path, report))
    return report.damages.length === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error
    if (json) output.out(`${JSON.stringify({ from: path, error: { code: error.code, detail: error.detail } })}\n`)
    output.err(`spillway: ${error.code} ${error.detail}\n`)
    return 2
  }
}

/** Opens the storage that the configuration names, imports, and closes it again. @throws BrokerError */
export async function importInto(
  from: string,
  config: LoadedConfig,
  logger: Logger,
  onProgress: (messageCount: number, sizeBytes: number) => void,
): Promise<ImportReport> {
  const { importDataPath } = await import('@spillway/import-nsqd') // only here
  const storage = createStorage(config, logger)
  const { durabilities } = storage.capabilities
  if (!durabilities.includes('process')) {
    const detail = 'this storage forgets everything with the process: import into one that does not'
    throw new BrokerError('E_INVALID_OPTION', detail)
  }
  await storage.open()
  try {
    return await importDataPath({ from, storage, durabilityOf: () => 'process', onProgress })
  } finally {
    await storage.close()
  }
}

const MIB = 1024 * 1024

/** A line that is written over itself, where somebody looks. */
function progressOn({ err }: Output): (messageCount: number, sizeBytes: number) => void {
  if (!process.stderr.isTTY) return () => {}
  const startedMs = performance.now()
  return (messageCount, sizeBytes) => {
    const seconds = (performance.now() - startedMs) / 1000
    const rate = Math.round(sizeBytes / MIB / Math.max(0.001, seconds))
    err(`\r${messageCount.toLocaleString('en')} messages, ${Math.round(sizeBytes / MIB)} MiB, ${rate} MiB/s \r`)
  }
}

export function describeReport(
  from: string,
  { topics, messageCount, sizeBytes, damages, skipped }: ImportReport,
): string {
  const lines = topics.flatMap(({ name, paused, messageCount: waiting, channels }) => [
    `${name}${paused ? ' (paused)' : ''}: ${waiting.toLocaleString('en')} messages at the topic itself`,
    ...channels.map(
      (channel) =>
        `  ${channel.name}${channel.paused ? ' (paused)' : ''}: ${channel.messageCount.toLocaleString('en')} messages`,
    ),
  ])
  const total = `${messageCount.toLocaleString('en')} messages, ${(sizeBytes / MIB).toFixed(1)} MiB, of ${topics.length} topics imported from ${from}`
  const lost = damages.map(
    ({ path, offset, sizeBytes: bytes }) => `not readable, and missing now: ${path}, ${bytes} bytes from ${offset} on`,
  )
  const left = skipped.map((name) => `left out, since it is no name: ${JSON.stringify(name)}`)
  return [...lines, '', total, ...left, ...lost].map((line) => `${line}\n`).join('')
}
