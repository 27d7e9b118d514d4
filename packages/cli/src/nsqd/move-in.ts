import { resolve } from 'node:path'
import type { Logger } from '@spillway/core'
import { createStorage, type LoadedConfig } from '@spillway/core/node'
import { importInto } from '../spillway/import.js'
import type { NsqdValues } from './to-config.js'

/** Told of at most so often. */
const PROGRESS_INTERVAL_MS = 5_000

/**
 * Where the data path is that of an nsqd, takes over what it has before anything else happens. Only when all of that is safe
 * nsqd's files are moved aside: whatever kills this in between, the next start goes on with it.
 * @throws BrokerError
 */
export async function moveIn(values: NsqdValues, config: LoadedConfig, logger: Logger): Promise<void> {
  const { isImported, isNsqdDataPath, setAside } = await import('@spillway/import-nsqd')
  const folder = resolve(values['data-path'] || '.')
  if (!(await isNsqdDataPath(folder))) return
  if (values.storage === 'memory') {
    logger.warn(`${folder} has the messages of an nsqd: they stay there, since this storage keeps messages in memory`)
    return
  }
  if (!(await wasImported(config, logger, isImported))) {
    logger.info(`${folder} is the data path of an nsqd: taking over what it has`)
    let toldMs = performance.now()
    const { topics, messageCount, damages, skipped } = await importInto(folder, config, logger, (count) => {
      if (performance.now() - toldMs < PROGRESS_INTERVAL_MS) return
      toldMs = performance.now()
      logger.info(`taking over: ${count} messages`)
    })
    for (const name of skipped) logger.warn(`left out, since it is no name: ${JSON.stringify(name)}`)
    for (const { path, offset, sizeBytes } of damages) {
      logger.error(`${path}: ${sizeBytes} bytes from ${offset} on cannot be read, and are missing now`)
    }
    logger.info(`took over ${messageCount} messages of ${topics.length} topics`)
  }
  logger.info(`nsqd's files are in ${await setAside(folder)} now`)
}

/** A start that was killed while it moved files. */
async function wasImported(
  config: LoadedConfig,
  logger: Logger,
  isImported: typeof import('@spillway/import-nsqd').isImported,
): Promise<boolean> {
  const storage = createStorage(config, logger)
  await storage.open()
  try {
    return await isImported(storage)
  } finally {
    await storage.close()
  }
}
