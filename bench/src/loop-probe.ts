import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { DELAY_INTERVAL_MS, type LoopFigures, LoopMeter } from './loop-meter.js'
import { BUSY_SHARE_VARIABLE, COUNT_SIGNAL, FILE_VARIABLE } from './loop-probe-protocol.js'
import { MainThreadCpu } from './main-thread-cpu.js'
import { onTurnEnd } from './turn-ends.js'

/**
 * Loaded into a process with `--import` before its own code. It counts from {@link COUNT_SIGNAL} until the process is
 * told to stop, so neither start-up nor the last clean-up is in it, and writes its `LoopFigures` when the process ends.
 */
function probe(path: string): void {
  const cpu = new MainThreadCpu()
  const meter = new LoopMeter(Number(process.env[BUSY_SHARE_VARIABLE] ?? 0))
  let isCounting = false
  let figures: LoopFigures | null = null
  onTurnEnd(() => {
    if (isCounting) meter.endTurn(cpu.readNs())
  })
  process.once(COUNT_SIGNAL, () => {
    isCounting = true
    meter.start(performance.now(), cpu.readNs())
    const sampling = setInterval(() => meter.sampleDelay(performance.now()), DELAY_INTERVAL_MS).unref()
    const finish = () => {
      if (!isCounting) return
      isCounting = false
      clearInterval(sampling)
      figures = meter.finish(performance.now())
    }
    process.once('SIGTERM', finish)
    process.once('exit', () => {
      // The process may have ended in its own handler of the signal.
      finish()
      writeFileSync(path, `${JSON.stringify(figures)}\n`)
    })
  })
}

const path = process.env[FILE_VARIABLE]
// What the process starts is not measured: the file is for one.
delete process.env[FILE_VARIABLE]
if (path !== undefined && isMainThread) probe(path)
