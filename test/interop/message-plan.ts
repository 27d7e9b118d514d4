/** What a consumer does with the first delivery of a message; every later delivery is finished. */
export type Fate = 'finish' | 'requeueNow' | 'requeueLater' | 'letTimeOut'

/** Fixed, so that a failure happens again. The Go and Python programs hold the same numbers. */
export const PLAN_SEED = 20_260_101
export const REQUEUE_DELAY_MS = 50

const FILLER = 'abcdefghijklmnopqrstuvwxyz'.repeat(8)
const FILLER_LENGTHS = 181

/** The body of message `serial`: its number, then 0 to 180 letters that depend on it. */
export function bodyOf(serial: number): string {
  const start = serial % 26
  return `${serial} ${FILLER.slice(start, start + (serial % FILLER_LENGTHS))}`
}

export function serialOf(body: string): number {
  return Number.parseInt(body, 10)
}

/** Of a thousand messages two are left to time out, ten are requeued at once and ten with a delay. */
export function fateOf(serial: number): Fate {
  let hash = Math.imul(serial ^ PLAN_SEED, 2_654_435_761) >>> 0
  hash = ((hash ^ (hash >>> 15)) >>> 0) % 1000
  if (hash < 2) return 'letTimeOut'
  if (hash < 12) return 'requeueNow'
  if (hash < 22) return 'requeueLater'
  return 'finish'
}

export interface PlannedCounts {
  readonly requeued: number
  readonly timedOut: number
}

/** How many of the messages 0 to `messageCount` - 1 meet which fate. */
export function plannedCounts(messageCount: number): PlannedCounts {
  let requeued = 0
  let timedOut = 0
  for (let serial = 0; serial < messageCount; serial++) {
    const fate = fateOf(serial)
    if (fate === 'letTimeOut') timedOut++
    else if (fate !== 'finish') requeued++
  }
  return { requeued, timedOut }
}
