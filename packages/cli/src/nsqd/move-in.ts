import { resolve } from 'node:path'
import type { Logger } from '@spillway/core'
import type { LoadedConfig } from '@spillway/core/node'
import {
  describeDamage,
  describeDifference,
  type ImportReport,
  importDataPath,
  isImported,
  LockedDataPath,
  setAside,
} from '@spillway/import-nsqd'
import { withStorage } from '../spillway/import.js'
import type { NsqdValues } from './to-config.js'

/** Told of at most so often. */
const PROGRESS_INTERVAL_MS = 5_000

/**
 * The data path is that of an nsqd: takes over what it has before anything else happens. Only when all of that is safe
 * nsqd's files are moved aside: whatever kills this in between, the next start goes on with it.
 * @throws BrokerError
 */
export async function moveIn(values: NsqdValues, config: LoadedConfig, logger: Logger): Promise<void> {
  const folder = resolve(values['data-path'] || '.')
  if (values.storage === 'memory') {
    logger.warn(`${folder} has the messages of an nsqd: they stay there, since this storage keeps messages in memory`)
    return
  }
  const from = await LockedDataPath.lock(folder)
  try {
    const report = await importOnce(from, config, logger)
    if (report !== null) tell(report, logger)
    logger.info(`nsqd's files are in ${await setAside(from)} now`)
  } finally {
    await from.release()
  }
}

/** Null when it was imported already: a start was killed while it moved files. */
function importOnce(from: LockedDataPath, config: LoadedConfig, logger: Logger): Promise<ImportReport | null> {
  return withStorage(config, logger, async (storage) => {
    if (await isImported(from, storage)) return null
    logger.info(`${from.path} is the data path of an nsqd: taking over what it has; nothing listens until that is done`)
    let toldMs = performance.now()
    const onProgress = (count: number): void => {
      if (performance.now() - toldMs < PROGRESS_INTERVAL_MS) return
      toldMs = performance.now()
      logger.info(`taking over: ${count} messages`)
    }
    const { msgSizeBytesMax } = config.node
    return importDataPath({ from, storage, msgSizeBytesMax, durabilityOf: () => 'process', onProgress })
  })
}

function tell({ topics, messageCount, damages, differences, skipped }: ImportReport, logger: Logger): void {
  for (const name of skipped) logger.warn(`left out, since it is no name: ${JSON.stringify(name)}`)
  for (const damage of damages) logger.error(describeDamage(damage))
  for (const difference of differences) {
    const isLoss = difference.messageCount < difference.expectedCount
    logger[isLoss ? 'error' : 'warn'](describeDifference(difference))
  }
  logger.info(`took over ${messageCount} messages of ${topics.length} topics`)
}
