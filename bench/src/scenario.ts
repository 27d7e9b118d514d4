import type { Verification } from './ledger.js'
import type { LoopRun } from './loop-watch.js'
import type { Mode } from './storage-flags.js'
import type { RunningSubject } from './subject.js'

/** How much of everything a run does. */
export interface Scale {
  /** Messages of the throughput scenarios; the slower ones take a fraction. */
  readonly messageCount: number
  readonly warmUpMessageCount: number
  readonly bodySizeBytes: number
  /** How long the fixed-rate scenarios publish. */
  readonly durationMs: number
  readonly ratePerSecond: number
  /** Publishing has ended this long before resident memory is read. */
  readonly restMs: number
  /** How long is waited, at most, for a broker to come to rest before its processor time is read. */
  readonly settleMsMax: number
  readonly topicCount: number
  readonly consumerCount: number
  readonly stalledConsumerCount: number
  readonly startCount: number
  /** What Spillway may use for messages when they come from disk. */
  readonly memoryLimitBytes: number
  readonly backlogMessageCount: number
  readonly scatteredMessageCount: number
  readonly scatteredTopicCount: number
  readonly deferredMessageCount: number
  /** Of messages that are all due at one moment, which is `dueInMs` after the first of them is published. */
  readonly dueMessageCount: number
  readonly dueInMs: number
  readonly passingMessageCount: number
  /** How long is waited, at most, for a data path to become small again. */
  readonly spaceMsMax: number
}

export interface StartOptions {
  /** Messages of a topic or channel that nsqd is to keep in memory, unless queues are on disk; its own default when absent. */
  readonly queueSize?: number
  /** With a certificate, so that clients may have TLS. */
  readonly tls?: boolean
  /** Data path of a broker that was killed; a new one when absent. */
  readonly dataPath?: string
}

/** What a scenario is given. */
export interface ScenarioContext {
  readonly scale: Scale
  readonly mode: Mode
  /** Starts a broker; it is stopped when the scenario has ended. */
  start(options?: StartOptions): Promise<RunningSubject>
  /** One line about what is under way. */
  progress(text: string): void
}

/** What the ratio to nsqd must be, from the project's goals; absent where there is none. */
export type Goal = Readonly<Partial<Record<Mode, number>>>

/** One number that a scenario found. */
export interface Figure {
  /** Unique among all figures: `consume.rate`. */
  readonly key: string
  readonly title: string
  readonly unit: 'msg/s' | 's/million' | 'ms' | 's' | 'bytes' | 'MB' | '%' | 'messages'
  readonly value: number
  readonly better: 'more' | 'less'
  readonly goal?: Goal
  /** What the value itself must not exceed, whoever else is measured. */
  readonly limit?: number
}

export interface ScenarioResult {
  readonly figures: readonly Figure[]
  readonly verification: Verification
  /** Share of one processor that the client used while it measured: near 1, the client was the limit. */
  readonly clientLoad?: number
  /** The event loops of the brokers that were started, where they were measured. */
  readonly loops?: readonly LoopRun[]
  /** What does not fit a figure, such as something over time: a line each. */
  readonly notes?: readonly string[]
}

/** One way to put load on a broker, and what is read off it. */
export interface Scenario {
  readonly name: string
  /** One line for `--help`. */
  readonly title: string
  /** Whether it says something when run against the sink. */
  readonly ceiling: boolean
  /** Whether it is about what a durable store promises: it runs on one in every mode, and for the first subject only. */
  readonly durable?: boolean
  run(context: ScenarioContext): Promise<ScenarioResult>
}
