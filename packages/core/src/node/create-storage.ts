import type { LoadedConfig } from '../config/load-config.js'
import type { Logger } from '../contracts/logger.js'
import type { Storage } from '../contracts/storage.js'
import { SystemClock } from './system-clock.js'
import { wirePlugins } from './wiring.js'

/** The storage that a configuration names, for those who work on it while no broker runs. Not open yet. @throws BrokerError as {@link SpillwayNode} does */
export function createStorage(config: LoadedConfig, logger: Logger): Storage {
  return wirePlugins(config, { clock: new SystemClock(), random: Math.random, logger }).storage
}
