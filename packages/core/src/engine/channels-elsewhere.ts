import type { Clock } from '../contracts/clock.js'
import type { Discovery } from '../contracts/discovery.js'
import type { Logger } from '../contracts/logger.js'
import { BrokerError } from '../errors.js'
import { isEphemeral, isValidName } from '../names.js'

export interface ChannelsElsewhere {
  readonly topic: string
  readonly discoveries: readonly Discovery[]
  readonly clock: Clock
  readonly logger: Logger
  readonly timeoutMsMax: number
  openChannel(name: string): Promise<unknown>
}

/**
 * Asks discovery which channels a new topic has elsewhere, and opens them. Calls `finished` once: when all have answered
 * and their channels are open, or after the bound. What is answered later is still opened.
 */
export function openChannelsElsewhere(ask: ChannelsElsewhere, finished: () => void): void {
  const asked = ask.discoveries.map(async (discovery) => {
    const names = await discovery.channelsOf(ask.topic)
    const wanted = names.filter((name) => isValidName(name) && !isEphemeral(name))
    await Promise.all(wanted.map((name) => ask.openChannel(name)))
  })
  let isFinished = false
  const finish = (): void => {
    timer.cancel()
    if (isFinished) return
    isFinished = true
    finished()
  }
  const timer = ask.clock.setTimer(ask.timeoutMsMax, finish)
  void Promise.allSettled(asked).then((results) => {
    for (const result of results) {
      if (result.status === 'rejected' && !isGone(result.reason)) {
        ask.logger.warn(`channels of new topic ${ask.topic}: ${result.reason}`)
      }
    }
    finish()
  })
}

/** The topic was deleted meanwhile, or the node stops: nobody misses its channels. */
function isGone(reason: unknown): boolean {
  return reason instanceof BrokerError && reason.code === 'E_EXITING'
}
