import type { LogLevel } from '@spillway/core'

/** Higher is more severe. */
export const LEVEL_RANK: Readonly<Record<LogLevel, number>> = { debug: 1, info: 2, warn: 3, error: 4, fatal: 5 }
