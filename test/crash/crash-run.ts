import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Random } from '../support/random.js'
import { BrokerProcess, type StorageUse } from './broker-process.js'
import { Ledgers } from './ledgers.js'
import { Life } from './life.js'
import { emptyWriteAheadLogs, losePower } from './power-loss.js'
import { type CrashReport, median, type RoundFigures, totalsOf } from './report.js'
import { type RoundPlan, RoundPlanner } from './round-plan.js'
import { allScenarios } from './scenarios/index.js'
import type { Scenario } from './scenarios/scenario.js'
import { Violations } from './violations.js'

const STALLED_AFTER_MS = 15_000
/** Cursors are saved 50 ms behind; the rest is for two processes that share a machine. */
const SAVED_AFTER_MS = 400
/** Under `power` a save waits for the disk itself, and for a sync that was under way: that takes what a shared disk takes. */
const SYNCED_AFTER_MS = 1_200
/** After everything owed has come: what else is left must be judged too. */
const EMPTY_LIMIT_MS = 15_000
const PROBE_INTERVAL_MS = 25

export interface CrashRunOptions {
  readonly seed: number
  readonly rounds: number
  readonly storage: StorageUse
  /** After each kill, the files of the data path's journal lose what was not synced. */
  readonly losesPower: boolean
  /** Names of scenarios; without it, all of them. */
  readonly only?: readonly string[]
  /** Goes on with the next round when one has found something wrong. */
  readonly keepsGoing?: boolean
  /** A drain in which nothing more comes for this long has lost the rest. */
  readonly stalledAfterMs?: number
  /** Told of each round when it is over. */
  readonly progress: (line: string) => void
}

/** Runs rounds of traffic, each ended by kill -9, on one data path, and judges what the broker made of them. */
export class CrashRun {
  readonly #options: CrashRunOptions
  readonly #directory = mkdtempSync(join(tmpdir(), 'spillway-crash-'))
  readonly #random: Random
  readonly #violations = new Violations()
  readonly #ledgers = new Ledgers(this.#violations)
  readonly #scenarios: readonly Scenario[]
  readonly #rounds: RoundFigures[] = []
  #lifeCount = 0
  #lostCount = 0

  constructor(options: CrashRunOptions) {
    this.#options = options
    this.#random = new Random(options.seed)
    const { only } = options
    this.#scenarios = allScenarios(this.#ledgers).filter(({ name }) => only === undefined || only.includes(name))
  }

  /** Stops at the first round that finds something wrong; its data path is then left for a closer look. */
  async run(): Promise<CrashReport> {
    const { storage, rounds, losesPower, keepsGoing = false } = this.#options
    const planner = new RoundPlanner(this.#random.fork(), this.#scenarios.length)
    const broker = await BrokerProcess.prepare({ directory: this.#directory, storage, recordsSyncs: losesPower })
    try {
      const goesOn = () => keepsGoing || this.#violations.isEmpty
      for (let round = 1; round <= rounds && goesOn(); round++) {
        await this.#round(broker, round, planner.next(), false)
      }
      if (goesOn()) await this.#round(broker, rounds + 1, { kind: 'drain', losesPower: false }, true)
    } catch (error) {
      this.#violations.add('the run broke off', `${error instanceof Error ? error.stack : error}\n${broker.output}`)
    } finally {
      await broker.kill()
      if (this.#violations.isEmpty) rmSync(this.#directory, { recursive: true, force: true })
    }
    return this.#report()
  }

  async #round(broker: BrokerProcess, round: number, plan: RoundPlan, isLast: boolean): Promise<void> {
    const losesPower = this.#options.losesPower && plan.losesPower
    const before = totalsOf(this.#ledgers)
    let restartMs: number | null = null
    if (plan.kind === 'killedWhileStarting') {
      broker.spawn()
      await pause(plan.killAfterMs)
    } else {
      restartMs = await broker.start(plan.kind === 'traffic' ? plan.syncDelayMs : 0)
      await this.#live(broker, plan, isLast)
    }
    await broker.kill()
    const droppedBytes = losesPower ? this.#losePower(broker) : 0
    const after = totalsOf(this.#ledgers)
    const figures: RoundFigures = {
      round,
      what: this.#describe(plan),
      restartMs,
      acknowledgedCount: after.acknowledgedCount - before.acknowledgedCount,
      deliveredCount: after.deliveredCount - before.deliveredCount,
      droppedBytes,
    }
    this.#rounds.push(figures)
    this.#options.progress(
      `round ${round}: ${figures.what}${restartMs === null ? '' : `: listening after ${Math.round(restartMs)} ms`}, ` +
        `${figures.acknowledgedCount} acknowledged, ${figures.deliveredCount} delivered` +
        (losesPower ? `, power lost with ${droppedBytes} bytes` : ''),
    )
  }

  get #savedAfterMs(): number {
    return this.#options.storage.options.durability === 'power' ? SYNCED_AFTER_MS : SAVED_AFTER_MS
  }

  /** From listening to the kill. */
  async #live(broker: BrokerProcess, plan: Exclude<RoundPlan, { kind: 'killedWhileStarting' }>, isLast: boolean) {
    await this.#checkRestarted(broker)
    const life = new Life({
      number: ++this.#lifeCount,
      tcpPort: broker.tcpPort,
      http: broker.http,
      random: this.#random.fork(),
      violations: this.#violations,
      isDraining: plan.kind === 'drain',
      isLast,
      savedAfterMs: this.#savedAfterMs + (plan.kind === 'traffic' ? 2 * plan.syncDelayMs : 0),
    })
    const running = this.#scenariosOf(plan).map((scenario) =>
      scenario.run(life).catch((error: unknown) => {
        if (!life.isOver) this.#violations.add('a scenario broke off', `${scenario.name}: ${(error as Error).stack}`)
      }),
    )
    if (plan.kind === 'drain') {
      await Promise.all(running)
      await this.#drained(broker)
    } else {
      await Promise.race([life.pause(plan.killAfterMs), life.killWanted])
    }
    const { unexpectedExit } = broker
    if (unexpectedExit !== null) this.#violations.add('the broker ended by itself', unexpectedExit)
    life.beBusy()
    life.end(Date.now())
    await broker.kill()
    await life.closed()
    await Promise.all(running)
    for (const { everyChannel } of this.#ledgers.all) for (const channel of everyChannel) channel.judgeBounds()
  }

  async #checkRestarted(broker: BrokerProcess): Promise<void> {
    const ping = await broker.http.get('/ping')
    if (ping.status !== 200) this.#violations.add('not healthy after a restart', `${ping.status} ${ping.text}`)
    const topics = await broker.http.allTopicStats()
    const seen = new Map(topics.map((topic) => [topic.topic_name, topic]))
    for (const scenario of this.#scenarios) scenario.checkRestarted(seen)
  }

  /** Waits until everything owed has been finished; what does not come is lost. Then until the broker has nothing left. */
  async #drained(broker: BrokerProcess): Promise<void> {
    const { stalledAfterMs = STALLED_AFTER_MS } = this.#options
    const topics = this.#scenarios.flatMap(({ ledgers }) => ledgers)
    const owed = () => topics.reduce((count, topic) => count + topic.outstandingCount, 0)
    let progressAtMs = performance.now()
    for (let left = owed(); left > 0; ) {
      await pause(PROBE_INTERVAL_MS)
      const now = owed()
      if (now !== left) progressAtMs = performance.now()
      else if (performance.now() - progressAtMs > stalledAfterMs || broker.unexpectedExit !== null) break
      left = now
    }
    const channels = topics.flatMap((topic) => [...topic.channels.values()])
    this.#lostCount = channels.reduce((count, channel) => count + channel.judgeLoss(), 0)
    const endMs = performance.now() + EMPTY_LIMIT_MS
    while (broker.unexpectedExit === null && this.#violations.isEmpty) {
      const left = await this.#whatIsLeft(broker)
      if (left === null) return
      if (performance.now() > endMs) this.#violations.add('something never comes', left)
      await pause(PROBE_INTERVAL_MS)
    }
  }

  /** Channels with consumers, and messages none the less. */
  async #whatIsLeft(broker: BrokerProcess): Promise<string | null> {
    for (const { topic_name, channels } of await broker.http.allTopicStats()) {
      for (const { channel_name, client_count, depth, in_flight_count, deferred_count } of channels) {
        if (client_count > 0 && depth + in_flight_count + deferred_count > 0)
          return `${topic_name}/${channel_name}: depth ${depth}, in flight ${in_flight_count}, deferred ${deferred_count}`
      }
    }
    return null
  }

  #scenariosOf(plan: RoundPlan): readonly Scenario[] {
    if (plan.kind === 'drain') return this.#scenarios
    return plan.kind === 'traffic' ? plan.scenarioIndexes.map((index) => this.#scenarios[index]) : []
  }

  #losePower({ dataPath, syncRecordPath }: BrokerProcess): number {
    if (this.#random.chance(0.5)) emptyWriteAheadLogs(join(dataPath, 'rocksdb'))
    return losePower(join(dataPath, 'journal'), syncRecordPath, this.#random)
  }

  #describe(plan: RoundPlan): string {
    if (plan.kind === 'killedWhileStarting') return `killed ${plan.killAfterMs} ms after its start`
    if (plan.kind === 'quiet') return `nobody there for ${plan.killAfterMs} ms`
    if (plan.kind === 'drain') return 'drain'
    const names = plan.scenarioIndexes.map((index) => this.#scenarios[index].name).join(' + ')
    return this.#options.losesPower && plan.syncDelayMs > 0 ? `${names}, syncs take ${plan.syncDelayMs} ms` : names
  }

  #report(): CrashReport {
    const { seed, storage, losesPower } = this.#options
    const restartsMs = this.#rounds.flatMap(({ restartMs }) => (restartMs === null ? [] : [restartMs]))
    return {
      seed,
      storage: storage.use,
      durability: String(storage.options.durability),
      losesPower,
      rounds: this.#rounds.length,
      ...totalsOf(this.#ledgers),
      lostCount: this.#lostCount,
      droppedBytes: this.#rounds.reduce((sum, { droppedBytes }) => sum + droppedBytes, 0),
      restartMsMedian: median(restartsMs),
      restartMsMax: Math.max(0, ...restartsMs),
      violations: this.#violations.lines(),
      directory: this.#violations.isEmpty ? null : this.#directory,
      perRound: this.#rounds,
    }
  }
}
