import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Linux counts processor time for user space in hundredths of a second, whatever the kernel's own tick. */
const MS_PER_TICK = 10

/** Processor time and parentage from one `/proc/PID/stat` line. The command's name may hold spaces and parentheses. */
export function parseStat(line: string): { parentPid: number; cpuMs: number } {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return { parentPid: Number(fields[1]), cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK }
}

export function parseResidentBytes(status: string): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(status)
  return match === null ? 0 : Number(match[1]) * 1024
}

/** A process and what it has started: `npx` and shells put the broker one or two generations below. */
export class MeasuredProcess {
  readonly pid: number

  constructor(pid: number) {
    this.pid = pid
  }

  /** User and system time so far, in milliseconds; NaN where there is no `/proc`. */
  readCpuMs(): number {
    return this.#sum((pid) => parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1')).cpuMs)
  }

  /** Resident memory in bytes; NaN where there is no `/proc`. */
  readResidentBytes(): number {
    return this.#sum((pid) => parseResidentBytes(readFileSync(`/proc/${pid}/status`, 'latin1')))
  }

  #sum(read: (pid: number) => number): number {
    try {
      return this.#family().reduce((total, pid) => total + read(pid), 0)
    } catch {
      return Number.NaN
    }
  }

  #family(): number[] {
    const childrenOf = new Map<number, number[]>()
    for (const name of readdirSync('/proc')) {
      const pid = Number(name)
      if (!Number.isInteger(pid)) continue
      try {
        const { parentPid } = parseStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
        childrenOf.set(parentPid, [...(childrenOf.get(parentPid) ?? []), pid])
      } catch {
        // It has just gone.
      }
    }
    const family = [this.pid]
    for (let i = 0; i < family.length; i++) family.push(...(childrenOf.get(family[i]) ?? []))
    return family
  }

  /** Waits until the process has done next to nothing for a while: queues moved, garbage collected, logs written. 0 does not wait. */
  async settle(timeoutMs: number): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs
    let quietCount = 0
    let cpuMs = this.readCpuMs()
    while (quietCount < 3 && performance.now() < deadlineMs) {
      await sleep(100)
      const nowCpuMs = this.readCpuMs()
      quietCount = nowCpuMs - cpuMs <= MS_PER_TICK ? quietCount + 1 : 0
      cpuMs = nowCpuMs
    }
  }
}
