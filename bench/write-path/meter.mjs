import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Durations in milliseconds, all of them kept. */
export class Durations {
  #values = new Float64Array(1 << 16)
  count = 0

  add(ms) {
    if (this.count === this.#values.length) {
      const grown = new Float64Array(this.count * 2)
      grown.set(this.#values)
      this.#values = grown
    }
    this.#values[this.count++] = ms
  }

  /** In microseconds. */
  summary() {
    const sorted = this.#values.slice(0, this.count).sort()
    const at = (share) => Math.round((sorted[Math.min(this.count - 1, Math.floor(this.count * share))] ?? 0) * 1e4) / 10
    return { count: this.count, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
  }
}

function readIo() {
  const text = readFileSync('/proc/self/io', 'latin1')
  const field = (name) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)[1])
  return { asked: field('wchar'), dirtied: field('write_bytes'), cancelled: field('cancelled_write_bytes') }
}

/** What the whole process spends between construction and `stop`: CPU time, bytes written; and how late the loop was. */
export class ProcessMeter {
  #cpu = process.cpuUsage()
  #io = readIo()
  #loop = monitorEventLoopDelay({ resolution: 1 })

  constructor() {
    this.#loop.enable()
  }

  stopLoop() {
    this.#loop.disable()
    return { loopP999Ms: this.#loop.percentile(99.9) / 1e6, loopMaxMs: this.#loop.max / 1e6 }
  }

  stop() {
    const cpu = process.cpuUsage(this.#cpu)
    const io = readIo()
    return {
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
      askedBytes: io.asked - this.#io.asked,
      dirtiedBytes: io.dirtied - this.#io.dirtied,
    }
  }
}
