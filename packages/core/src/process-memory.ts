import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

/** How many of the latest pauses the percentiles are of, as in nsqd. */
const PAUSE_COUNT_MAX = 256

/** The `memory` object of `/stats`, in nsqd's names and order. */
export interface MemoryStats {
  /** 0: V8 does not count its objects. */
  readonly heap_objects: number
  /** Committed to V8's heap and free. */
  readonly heap_idle_bytes: number
  /** V8's objects, and the buffers outside its heap, where messages lie. */
  readonly heap_in_use_bytes: number
  /** Reserved by V8's heap and not committed. */
  readonly heap_released_bytes: number
  readonly gc_pause_usec_100: number
  readonly gc_pause_usec_99: number
  readonly gc_pause_usec_95: number
  /** 0: V8 does not say when it collects next. */
  readonly next_gc_bytes: number
  /** Collections since the listener started, minor ones included. */
  readonly gc_total_runs: number
}

/** What the process does with its memory, in the terms of Go's runtime as far as Node has them. */
export class ProcessMemory {
  readonly #pausesUs: number[] = []
  #pauseCount = 0
  readonly #observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      this.#pausesUs[this.#pauseCount++ % PAUSE_COUNT_MAX] = Math.round(duration * 1000)
    }
  })

  start(): void {
    this.#observer.observe({ entryTypes: ['gc'] })
  }

  stop(): void {
    this.#observer.disconnect()
  }

  stats(): MemoryStats {
    const heap = getHeapStatistics()
    const pausesUs = this.#pausesUs.toSorted((a, b) => a - b)
    return {
      heap_objects: 0,
      heap_idle_bytes: Math.max(0, heap.total_physical_size - heap.used_heap_size),
      heap_in_use_bytes: heap.used_heap_size + process.memoryUsage().external,
      heap_released_bytes: Math.max(0, heap.total_heap_size - heap.total_physical_size),
      gc_pause_usec_100: percentile(pausesUs, 100),
      gc_pause_usec_99: percentile(pausesUs, 99),
      gc_pause_usec_95: percentile(pausesUs, 95),
      next_gc_bytes: 0,
      gc_total_runs: this.#pauseCount,
    }
  }
}

function percentile(sorted: readonly number[], percent: number): number {
  if (sorted.length === 0) return 0
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]
}
