/**
 * What is compared: both with their queues in memory; both with a durable store, which for nsqd means that it keeps
 * nothing in memory; or Spillway durable beside nsqd in memory.
 */
export const MODES = ['memory', 'disk', 'durable-vs-memory'] as const
export type Mode = (typeof MODES)[number]

const MEMORY_FLAGS = ['--storage=memory']
const DURABLE_FLAGS = ['--storage=rocksdb', '--durability=process']

const MIB = 1024 * 1024

/**
 * Flags for Spillway. From disk, its memory is held small, so that a backlog must be read back. Beside an nsqd that keeps
 * all in memory, it may keep what it likes too.
 */
export function spillwayFlags(mode: Mode, memoryLimitBytes: number): string[] {
  switch (mode) {
    case 'memory':
      return MEMORY_FLAGS
    case 'disk':
      return [...DURABLE_FLAGS, `--memory-limit=${Math.round(memoryLimitBytes / MIB)}MiB`]
    case 'durable-vs-memory':
      return DURABLE_FLAGS
  }
}

/** Flags for nsqd, and whatever takes its flags. `queueSize`: messages that each queue keeps in memory; its default when absent. */
export function nsqdFlags(mode: Mode, queueSize: number | undefined): string[] {
  const size = mode === 'disk' ? 0 : queueSize
  return size === undefined ? [] : [`--mem-queue-size=${size}`]
}
