/** The file into which a probed process writes one line of JSON when it ends. */
export const FILE_VARIABLE = 'SPILLWAY_BENCH_LOOP_FILE'
/** Share of a processor from which on a probed process is busy. */
export const BUSY_SHARE_VARIABLE = 'SPILLWAY_BENCH_LOOP_BUSY_SHARE'
/** Tells a probed process that it is to count from now on. */
export const COUNT_SIGNAL = 'SIGUSR2'
