import type { BrokerError, Logger, LogLevel } from '@spillway/core'
import { ConfigError, type RawConfig, SpillwayNode } from '@spillway/core/node'
import { describeRefusal } from '../describe-refusal.js'
import { describeStartError } from '../describe-start-error.js'
import { type LogFormat, openLogger } from '../log/open-logger.js'
import { settingsOfConfig } from '../nsqd/settings.js'
import type { Output } from '../output.js'
import { type Lifetime, runNode } from '../run-node.js'
import { loadRunnable } from './load.js'

export interface StartOptions {
  readonly logFormat: LogFormat
  /** `null`: what the configuration says. */
  readonly logLevel: LogLevel | null
  readonly output: Output
  /** How many brokers share this machine's memory; 1 without it. */
  readonly nodesOnMachine?: number
  /** Until a signal without it. */
  readonly lifetime?: Lifetime
}

/** Runs the broker that a configuration says. Why it cannot is one line. @returns the exit code */
export async function startBroker(read: () => Promise<RawConfig>, options: StartOptions): Promise<number> {
  const { logFormat, logLevel, output, nodesOnMachine = 1, lifetime } = options
  let logger: Logger | null = null
  try {
    const config = await loadRunnable(await read())
    logger = await openLogger(logFormat, logLevel ?? config.node.logLevel, output)
    const settings = settingsOfConfig(config, logger, () => node.broker)
    const node: SpillwayNode = new SpillwayNode(config, { logger, settings, nodesOnMachine })
    return await runNode(node, logger, lifetime)
  } catch (error) {
    const reason = describeStartError(error)
    if (reason === null) throw error
    if (logger === null || error instanceof ConfigError) output.err(describeRefusal(error, reason))
    else logger.fatal(reason, { code: (error as BrokerError).code })
    return 1
  }
}
