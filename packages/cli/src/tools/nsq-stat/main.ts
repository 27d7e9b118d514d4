import { setTimeout as pause } from 'node:timers/promises'
import type { FlagValues } from '../../go-flags.js'
import { FatalError } from '../common/fatal-error.js'
import type { HttpTimeouts } from '../common/get-json.js'
import { runTool, type Tool, type ToolContext } from '../common/run-tool.js'
import { TIMER_MS_MAX } from '../common/timer-limit.js'
import type { ChannelCounts } from './channel-counts.js'
import { NSQ_STAT_FLAGS } from './flags.js'
import { StatsSource } from './stats-source.js'
import { HEADER, row } from './table.js'

/** The header comes again after so many looks. */
const LOOKS_PER_HEADER = 25

type NsqStatValues = FlagValues<typeof NSQ_STAT_FLAGS>

export const NSQ_STAT: Tool<typeof NSQ_STAT_FLAGS> = {
  name: 'nsq_stat',
  summary:
    'Prints how much of a channel waits, and how fast messages come in and go out, over all nodes. The first look is only there for the next to be compared with.',
  flags: NSQ_STAT_FLAGS,
  examples: [
    '--topic=test --channel=c --nsqd-http-address=127.0.0.1:4151',
    '--topic=test --channel=c --lookupd-http-address=127.0.0.1:4161 --interval=10s --count=6',
  ],
  writesToStdout: true,
  run: nsqStat,
}

async function nsqStat(values: NsqStatValues, { stop, surroundings }: ToolContext): Promise<number> {
  const { source, intervalMs, count } = readValues(values)
  let before: ChannelCounts | null = null
  for (let looks = 0; looks <= count; looks++) {
    const now = await orNothing(source.read(stop), stop)
    if (now === null) break
    if (looks % LOOKS_PER_HEADER === 0) surroundings.output.out(HEADER)
    if (before !== null) surroundings.output.out(row(before, now, intervalMs))
    before = now
    if (looks < count) await pause(Math.min(intervalMs, TIMER_MS_MAX), undefined, { signal: stop }).catch(() => {})
    if (stop.aborted) break
  }
  return 0
}

/** Null once it is to end: whoever does not answer is not waited for any more. */
async function orNothing<T>(asked: Promise<T>, stop: AbortSignal): Promise<T | null> {
  try {
    const answer = await asked
    return stop.aborted ? null : answer
  } catch (error) {
    if (stop.aborted) return null
    throw error
  }
}

function readValues(values: NsqStatValues) {
  const { topic = '', channel = '', count = Number.POSITIVE_INFINITY, interval: intervalMs = 2_000 } = values
  if (topic === '' || channel === '') throw new FatalError('--topic and --channel are required')
  if (intervalMs <= 0) throw new FatalError('--interval should be positive')
  const timeouts: HttpTimeouts = {
    connectTimeoutMs: values['http-client-connect-timeout'] ?? 2_000,
    requestTimeoutMs: values['http-client-request-timeout'] ?? 5_000,
  }
  if (timeouts.connectTimeoutMs <= 0) throw new FatalError('--http-client-connect-timeout should be positive')
  if (timeouts.requestTimeoutMs <= 0) throw new FatalError('--http-client-request-timeout should be positive')
  if (count <= 0) throw new FatalError('--count should be positive')
  const nsqdAddresses = values['nsqd-http-address'] ?? []
  const lookupdAddresses = values['lookupd-http-address'] ?? []
  if (nsqdAddresses.length === 0 && lookupdAddresses.length === 0) {
    throw new FatalError('--nsqd-http-address or --lookupd-http-address required')
  }
  if (nsqdAddresses.length > 0 && lookupdAddresses.length > 0) {
    throw new FatalError('use --nsqd-http-address or --lookupd-http-address not both')
  }
  requireNoScheme('nsqd-http-address', nsqdAddresses)
  requireNoScheme('lookupd-http-address', lookupdAddresses)
  return { source: new StatsSource({ topic, channel, nsqdAddresses, lookupdAddresses, timeouts }), intervalMs, count }
}

function requireNoScheme(flag: string, addresses: readonly string[]): void {
  if (!addresses.some((address) => /^https?:\/\//.test(address))) return
  throw new FatalError(`--${flag} error - address should not contain scheme`)
}

export const main = (args: readonly string[]): Promise<number> => runTool(NSQ_STAT, args)
