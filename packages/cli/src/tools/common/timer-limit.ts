/** Node's timers count in 31 bits, and fire at once above: 24.8 days. */
export const TIMER_MS_MAX = 2 ** 31 - 1
