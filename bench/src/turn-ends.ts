/**
 * Calls `listener` once at the end of each turn of this process's event loop. An immediate that holds nothing up runs
 * first in each turn's last phase, as it is always set before all others; if others are due in this turn, then the
 * broker's flushes are among them, and the turn ends with the last of them. Replaces the global `setImmediate`, so it
 * is called before anything else is loaded. Timers that are due at the end of a turn belong to the next.
 */
export function onTurnEnd(listener: () => void): void {
  const original = globalThis.setImmediate
  let setCount = 0
  let dueCount = 0
  const begin = () => {
    original(begin).unref()
    // Whatever was set and cleared again is forgotten here; that turn then counts to the next.
    dueCount = setCount
    setCount = 0
    if (dueCount === 0) listener()
  }
  const counted = (callback: (...args: unknown[]) => void, ...args: unknown[]): NodeJS.Immediate => {
    setCount++
    return original(() => {
      try {
        callback(...args)
      } finally {
        if (--dueCount === 0) listener()
      }
    })
  }
  globalThis.setImmediate = Object.assign(counted, { __promisify__: original.__promisify__ }) as typeof setImmediate
  original(begin).unref()
}
