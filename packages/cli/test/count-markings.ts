import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as passed } from 'node:timers/promises'
import { HeapRoom } from '../src/heap-room.js'

// Says how often V8 marked its whole heap while 400 MB of objects went through it, of which 10 MB are alive at a time.
const MARK_COMPACT = 4
const MIB = 1024 * 1024

const room = process.argv[2] === 'room' ? new HeapRoom(4096 * MIB) : null
let count = 0
const observer = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if ((entry as PerformanceEntry & { detail: { kind: number } }).detail.kind === MARK_COMPACT) count++
  }
})
observer.observe({ entryTypes: ['gc'] })
const alive: number[][] = []
for (let index = 0; index < 400; index++) {
  alive[index % 10] = new Array<number>(MIB / 8).fill(index)
  if (index % 10 === 0) await passed(1)
}
await passed(1)
room?.close()
console.log(count)
