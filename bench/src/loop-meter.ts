import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Percentiles } from './latency-recorder.js'

/** What one process's event loop did while it was measured. */
export interface LoopFigures {
  /** Turns of the loop that were counted. */
  readonly turnCount: number
  /** Time that was counted: that in which the process was busy. */
  readonly countedMs: number
  /** The main thread's processor time in each turn. */
  readonly cpu: Percentiles
  /** By how much a timer of {@link DELAY_INTERVAL_MS} came late. */
  readonly delay: Percentiles
}

/** How often the delay is sampled, as `monitorEventLoopDelay` can at best. */
export const DELAY_INTERVAL_MS = 1

const NS_PER_MS = 1e6
/** Turns and delays are kept for so long, until it is known whether the process was busy. */
const WINDOW_MS = 100
/** More samples than that end a window early. */
const WINDOW_SAMPLES_MAX = 8192

/**
 * Collects turns and delays of busy time. Idle time is left out, because thousands of empty turns, which the sampling
 * timer itself causes, would push everything that matters beyond the last percentile. Samples are numbers in arrays
 * that never grow; histograms keep them to three digits.
 */
export class LoopMeter {
  readonly #busyShare: number
  readonly #turnsNs = new SampleBuffer()
  readonly #delaysNs = new SampleBuffer()
  #windowStartMs = 0
  #windowCpuNs = 0
  #turnCpuNs = 0
  #sampledMs = 0
  #countedMs = 0

  /** `busyShare`: share of a processor from which on a window is counted; 0 counts all. */
  constructor(busyShare: number) {
    this.#busyShare = busyShare
  }

  /** Counts from here; what came before, such as start-up, is forgotten. */
  start(nowMs: number, cpuNs: number): void {
    this.#turnsNs.clear()
    this.#delaysNs.clear()
    this.#countedMs = 0
    this.#turnCpuNs = cpuNs
    this.#sampledMs = nowMs
    this.#openWindow(nowMs)
  }

  /** A turn has ended. */
  endTurn(cpuNs: number): void {
    this.#turnsNs.push(cpuNs - this.#turnCpuNs)
    this.#turnCpuNs = cpuNs
  }

  /** The sampling timer has fired. */
  sampleDelay(nowMs: number): void {
    this.#delaysNs.push((nowMs - this.#sampledMs - DELAY_INTERVAL_MS) * NS_PER_MS)
    this.#sampledMs = nowMs
    const full = this.#turnsNs.isFull || this.#delaysNs.isFull
    if (full || nowMs - this.#windowStartMs >= WINDOW_MS) this.#closeWindow(nowMs)
  }

  /** Ends the last window. @returns null when the process was never busy. */
  finish(nowMs: number): LoopFigures | null {
    this.#closeWindow(nowMs)
    if (this.#turnsNs.keptCount === 0 || this.#delaysNs.keptCount === 0) return null
    return {
      turnCount: this.#turnsNs.keptCount,
      countedMs: this.#countedMs,
      cpu: this.#turnsNs.percentiles(),
      delay: this.#delaysNs.percentiles(),
    }
  }

  #openWindow(nowMs: number): void {
    this.#windowStartMs = nowMs
    this.#windowCpuNs = this.#turnCpuNs
  }

  #closeWindow(nowMs: number): void {
    const elapsedMs = nowMs - this.#windowStartMs
    if (this.#turnCpuNs - this.#windowCpuNs >= elapsedMs * NS_PER_MS * this.#busyShare) {
      this.#turnsNs.keep()
      this.#delaysNs.keep()
      this.#countedMs += elapsedMs
    }
    this.#turnsNs.drop()
    this.#delaysNs.drop()
    this.#openWindow(nowMs)
  }
}

/** Samples of the window that is open, and a histogram of those of the windows that counted. */
class SampleBuffer {
  readonly #samplesNs = new Float64Array(WINDOW_SAMPLES_MAX)
  readonly #kept: RecordableHistogram = createHistogram()
  #count = 0

  push(sampleNs: number): void {
    // The window ends with the next delay, at most a turn after this is full.
    if (this.#count < WINDOW_SAMPLES_MAX) this.#samplesNs[this.#count++] = sampleNs
  }

  keep(): void {
    // Histograms begin at 1.
    for (let i = 0; i < this.#count; i++) this.#kept.record(Math.max(1, Math.round(this.#samplesNs[i])))
  }

  drop(): void {
    this.#count = 0
  }

  clear(): void {
    this.drop()
    this.#kept.reset()
  }

  get isFull(): boolean {
    return this.#count >= WINDOW_SAMPLES_MAX
  }

  get keptCount(): number {
    return this.#kept.count
  }

  percentiles(): Percentiles {
    const at = (percentile: number) => this.#kept.percentile(percentile) / NS_PER_MS
    return { p50Ms: at(50), p99Ms: at(99), p999Ms: at(99.9), maxMs: this.#kept.max / NS_PER_MS }
  }
}
