import { FatalError } from '../common/fatal-error.js'
import { runTool, type Tool, whenAborted } from '../common/run-tool.js'
import { Archives } from './archives.js'
import { TO_FILE_FLAGS } from './flags.js'
import { logLevelOf, settingsOf } from './settings.js'

export const NSQ_TO_FILE: Tool<typeof TO_FILE_FLAGS> = {
  name: 'nsq_to_file',
  summary:
    'Writes the messages of topics to files, a line each, and finishes a message once it is on the disk. ' +
    'SIGHUP begins other files; SIGTERM ends when everything is on the disk.',
  flags: TO_FILE_FLAGS,
  examples: [
    '--topic=orders --output-dir=/var/log/orders --lookupd-http-address=127.0.0.1:4161',
    '--topic=orders --nsqd-tcp-address=127.0.0.1:4150 --gzip --rotate-size=100000000 --max-in-flight=2500',
    "--topic-pattern='^orders' --lookupd-http-address=127.0.0.1:4161 --filename-format='<TOPIC>/<DATETIME><REV>.log'",
  ],
  async run(values, context) {
    const logger = context.openLogger(logLevelOf(values), values['log-prefix'])
    const settings = settingsOf(values)
    let failed = (_: Error): void => {}
    const failure = new Promise<Error>((resolve) => {
      failed = resolve
    })
    const archives = new Archives(settings, { clock: context.surroundings.clock, logger, failed })
    const unlisten = context.surroundings.listenForHangup(() => archives.hangUp())
    context.status.start('messages on the disk', () => archives.syncedCount)
    const stopped = whenAborted(context.stop).then(() => null)
    try {
      // A mistake in the flags, or an address that cannot be had, ends it with that.
      const early = await Promise.race([archives.start().then(() => null), failure, stopped])
      const error = early ?? (await Promise.race([failure, stopped]))
      // What is not on the disk is not finished, and comes again.
      if (error !== null) throw error
      const late = await Promise.race([archives.close().then(() => null), failure])
      if (late !== null) throw late
    } catch (error) {
      archives.abandon()
      if (error instanceof FatalError) throw error
      logger.fatal((error as Error).message)
      return 1
    } finally {
      unlisten()
    }
    return 0
  },
}

export const main = (args: readonly string[]): Promise<number> => runTool(NSQ_TO_FILE, args)
