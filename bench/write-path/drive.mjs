import { Durations, ProcessMeter } from './meter.mjs'

/**
 * Publishers that each append their next run when the last one is resolved; one append in a turn of the event loop.
 * All of them wait while the store says that it is behind.
 */
export async function drive(store, { publisherCount, recordCount, runs }, seconds) {
  const latencies = new Durations()
  const blocks = new Durations()
  const pauses = new Durations()
  const meter = new ProcessMeter()
  const startedAt = performance.now()
  let idleCount = publisherCount
  let appendCount = 0
  let wake
  const finish = (since) => {
    latencies.add(performance.now() - since)
    idleCount += 1
    wake?.()
  }
  while (performance.now() - startedAt < seconds * 1000) {
    await new Promise((resolve) => setImmediate(resolve))
    while (idleCount === 0)
      await new Promise((resolve) => {
        wake = resolve
      })
    const pause = store.caughtUp()
    if (pause !== undefined) {
      const since = performance.now()
      await pause
      pauses.add(performance.now() - since)
    }
    idleCount -= 1
    const since = performance.now()
    const pending = store.append(runs[appendCount++ % runs.length], recordCount)
    blocks.add(performance.now() - since)
    if (pending === undefined) finish(since)
    else pending.then(() => finish(since))
  }
  while (idleCount < publisherCount)
    await new Promise((resolve) => {
      wake = resolve
    })
  const elapsedSeconds = (performance.now() - startedAt) / 1000
  const loop = meter.stopLoop()
  await store.drain()
  const { cpuSeconds, askedBytes, dirtiedBytes } = meter.stop()
  const bytes = appendCount * runs[0].length
  return {
    appendsPerSecond: appendCount / elapsedSeconds,
    recordsPerSecond: (appendCount * recordCount) / elapsedSeconds,
    cpuPerMillion: (cpuSeconds / (appendCount * recordCount)) * 1e6,
    latency: latencies.summary(),
    blockMaxMs: blocks.summary().max / 1000,
    pauseMaxMs: pauses.summary().max / 1000,
    ...loop,
    askedPerByte: askedBytes / bytes,
    dirtiedPerByte: dirtiedBytes / bytes,
  }
}
