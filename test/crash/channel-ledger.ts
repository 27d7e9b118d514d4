import { bytes, doubles, shorts } from './column.js'
import type { TopicLedger } from './topic-ledger.js'

/** Finished messages that a crash may bring back, beside what was in flight (ready counts). */
export const UNSAVED_FINISHES_MAX = 10_000
/** Due times are in whole milliseconds. */
const EARLY_TOLERANCE_MS = 2

/** One life of the broker's process, as far as a ledger needs it: numbers count up from 1. */
export interface LifeClock {
  readonly number: number
  /** When it was killed, on the wall clock; `Infinity` while it runs. */
  readonly killedAtMs: number
  /** What happened longer before the kill than this must have been saved. */
  readonly savedAfterMs: number
}

interface Bounds {
  readonly requiredFrom: number
  readonly notBelow: number
}

/**
 * What one channel owes, and what it has delivered: every delivery is judged here against what happened before.
 * All times are on the wall clock, as due times are in the broker.
 */
export class ChannelLedger {
  readonly name: string
  readonly topic: TopicLedger
  readonly #requiredFrom: number
  readonly #notBelow: number
  /** Everything below was emptied, or was on its way when that happened: nothing of it is owed. */
  #excusedBelow = 0
  /** Since this life nothing below {@link #excusedBelow} may come. */
  #emptiedIn: number | null = null
  /** Nothing at all may come in a later life than this. */
  #pausedIn: number | null = null
  readonly #everFinished = bytes()
  /** The life in which FIN was last written, 0 when it was delivered again since. */
  readonly #finishedIn = shorts()
  readonly #deliveredIn = shorts()
  readonly #deliveredAtMs = doubles()
  readonly #requeuedAtMs = doubles()
  readonly #requeueDueAtMs = doubles()
  readonly #lives: LifeClock[] = []
  readonly #readyByLife: number[] = []
  readonly #redeliveredByLife: number[] = []
  /** Lives whose end has brought back too much. */
  readonly #unbounded = new Set<LifeClock>()
  #outstandingCount = 0
  deliveredCount = 0
  finishedCount = 0
  /** Deliveries of what an earlier life had delivered and nobody had finished. */
  unfinishedAgainCount = 0

  constructor(topic: TopicLedger, name: string, { requiredFrom, notBelow }: Bounds) {
    this.topic = topic
    this.name = name
    this.#requiredFrom = requiredFrom
    this.#notBelow = notBelow
  }

  get outstandingCount(): number {
    return this.#outstandingCount
  }

  #isOwed(serial: number): boolean {
    return serial >= this.#requiredFrom && serial >= this.#excusedBelow && this.#everFinished.get(serial) === 0
  }

  acknowledged(serial: number): void {
    if (this.#isOwed(serial)) this.#outstandingCount++
  }

  /** A consumer has set its ready count in this life of the broker. */
  readyCountSet(life: LifeClock, readyCount: number): void {
    this.#lives[life.number] = life
    this.#readyByLife[life.number] = (this.#readyByLife[life.number] ?? 0) + readyCount
  }

  /** The broker has answered that it has emptied the channel, in a moment when every publish had been answered. */
  emptied(life: LifeClock): void {
    this.#excusedBelow = this.topic.next
    this.#emptiedIn = life.number
    this.#outstandingCount = 0
  }

  /** It was asked to empty the channel and died before it answered: what is below may come or not. */
  perhapsEmptied(): void {
    this.#excusedBelow = this.topic.next
    this.#emptiedIn = null
    this.#outstandingCount = 0
  }

  /** The broker has answered that the channel (or its topic) is paused: null when it is not, or somebody is about to change that. */
  set pausedIn(life: LifeClock | null) {
    this.#pausedIn = life === null ? null : life.number
  }

  /** Judges one delivery. */
  deliver(serial: number, attempts: number, life: LifeClock, nowMs: number): void {
    const { topic } = this
    this.deliveredCount++
    if (serial >= topic.next) {
      this.#complain('never published', serial, `attempts ${attempts}`)
      return
    }
    if (serial < this.#notBelow) this.#complain('older than its channel', serial, `attempts ${attempts}`)
    if (this.#emptiedIn !== null && serial < this.#excusedBelow && life.number > this.#emptiedIn)
      this.#complain('came back after it was emptied', serial, `attempts ${attempts}`)
    if (this.#pausedIn !== null && life.number > this.#pausedIn)
      this.#complain('delivered while paused', serial, `paused in life ${this.#pausedIn}, delivered in ${life.number}`)
    if (serial >= topic.pausedFrom)
      this.#complain('delivered though its topic is paused', serial, `paused from ${topic.pausedFrom}`)
    topic.delivered(serial)
    this.#judgeTime(serial, life, nowMs)
    this.#judgeHistory(serial, attempts, life)
    this.#deliveredIn.set(serial, life.number)
    this.#deliveredAtMs.set(serial, nowMs)
  }

  /** FIN was written to a connection of this life. */
  finish(serial: number, life: LifeClock): void {
    this.finishedCount++
    this.#finishedIn.set(serial, life.number)
    if (this.#everFinished.get(serial) === 1) return
    const wasOwed = this.#isOwed(serial) && this.topic.isAcknowledged(serial)
    this.#everFinished.set(serial, 1)
    if (wasOwed) this.#outstandingCount--
  }

  /** REQ was written; `delayMs` is 0 for at once. */
  requeue(serial: number, delayMs: number, nowMs: number): void {
    this.#requeuedAtMs.set(serial, nowMs)
    this.#requeueDueAtMs.set(serial, delayMs === 0 ? 0 : nowMs + delayMs)
  }

  /** Finished messages that came back because of the end of a life. */
  redeliveredOf(life: LifeClock): number {
    return this.#redeliveredByLife[life.number] ?? 0
  }

  redeliveryBoundOf(life: LifeClock): number {
    return UNSAVED_FINISHES_MAX + (this.#readyByLife[life.number] ?? 0)
  }

  /** The most that one crash has brought back. */
  get redeliveredMax(): number {
    return this.#redeliveredByLife.reduce((max, count) => Math.max(max, count), 0)
  }

  /** Complains, once, of each crash that has brought back too much by now. */
  judgeBounds(): void {
    for (const life of this.#lives) {
      if (life === undefined || this.#unbounded.has(life)) continue
      if (this.redeliveredOf(life) <= this.redeliveryBoundOf(life)) continue
      this.#unbounded.add(life)
      const detail = `crash ${life.number} brought back ${this.redeliveredOf(life)}, allowed are ${this.redeliveryBoundOf(life)}`
      this.topic.violations.add('too many finished messages came back', `${this.topic.name}/${this.name}: ${detail}`)
    }
  }

  /** Complains of everything that is owed. To be asked when all that can come has come. Returns how many there are. */
  judgeLoss(): number {
    const lost: number[] = []
    for (let serial = this.#requiredFrom; serial < this.topic.next; serial++) {
      if (this.topic.isAcknowledged(serial) && this.#isOwed(serial)) lost.push(serial)
    }
    if (lost.length === 0) return 0
    const history = lost.slice(0, 5).map((serial) => `${serial} (last delivered in ${this.#deliveredIn.get(serial)})`)
    const detail = `${this.topic.name}/${this.name}: ${lost.length} of ${this.topic.next}: ${history.join(', ')} …`
    this.topic.violations.add('acknowledged and lost', detail, lost.length)
    return lost.length
  }

  #judgeTime(serial: number, life: LifeClock, nowMs: number): void {
    const dueAtMs = this.topic.dueAtMs(serial)
    if (nowMs < dueAtMs - EARLY_TOLERANCE_MS)
      this.#complain('deferred and came early', serial, `${dueAtMs - nowMs} ms before its time`)
    const requeueDueAtMs = this.#requeueDueAtMs.get(serial)
    if (requeueDueAtMs === 0) return
    this.#requeueDueAtMs.set(serial, 0)
    const wasSaved =
      this.#deliveredIn.get(serial) === life.number || this.#isLongBeforeKill(serial, this.#requeuedAtMs.get(serial))
    if (wasSaved && nowMs < requeueDueAtMs - EARLY_TOLERANCE_MS)
      this.#complain('requeued and came early', serial, `${requeueDueAtMs - nowMs} ms before its time`)
  }

  #judgeHistory(serial: number, attempts: number, life: LifeClock): void {
    const finishedIn = this.#finishedIn.get(serial)
    const deliveredIn = this.#deliveredIn.get(serial)
    if (finishedIn !== 0) {
      this.#finishedIn.set(serial, 0)
      if (finishedIn === life.number)
        this.#complain('came again after FIN without a crash', serial, `attempts ${attempts}`)
      else this.#redeliveredByLife[finishedIn] = (this.#redeliveredByLife[finishedIn] ?? 0) + 1
      return
    }
    if (deliveredIn === 0) {
      if (attempts !== 1 && serial >= this.topic.firstOf(life))
        this.#complain('attempts above 1 though it came first', serial, `attempts ${attempts}`)
      return
    }
    const deliveredAtMs = this.#deliveredAtMs.get(serial)
    if (deliveredIn === life.number) {
      if (this.#requeuedAtMs.get(serial) < deliveredAtMs)
        this.#complain('came again while it was held', serial, `attempts ${attempts}`)
    } else {
      this.unfinishedAgainCount++
      if (!this.#isLongBeforeKill(serial, deliveredAtMs)) return
    }
    if (attempts < 2) {
      const killedAtMs = this.#lives[deliveredIn]?.killedAtMs ?? Infinity
      const detail = `delivered in life ${deliveredIn}, ${Math.round(killedAtMs - deliveredAtMs)} ms before its kill; again in ${life.number}`
      this.#complain('came again with attempts 1', serial, detail)
    }
  }

  #isLongBeforeKill(serial: number, atMs: number): boolean {
    const life = this.#lives[this.#deliveredIn.get(serial)]
    return life !== undefined && atMs < life.killedAtMs - life.savedAfterMs
  }

  #complain(kind: string, serial: number, detail: string): void {
    this.topic.violations.add(kind, `${this.topic.name}/${this.name} message ${serial}: ${detail}`)
  }
}
