import type { Queue, QueueRecords, QueueRun } from '../contracts/queue.js'
import type { Sequence } from '../contracts/sequence.js'

/**
 * The default queue: fresh records in the order of the log, and a lane of those that came back. The lane gets every
 * second turn at most while fresh records wait, so that one message that always fails cannot starve the others at RDY 1.
 */
export class FifoQueue implements Queue {
  readonly run: QueueRun = { first: 0, count: 0, returned: false }
  readonly #records: QueueRecords
  /** Fresh records not yet given out: those of `[#next, #end)` that wait. */
  #next: Sequence
  #end: Sequence
  #lane: Sequence[] = []
  #laneHead = 0
  #laneHadTurn = false

  constructor(records: QueueRecords, next: Sequence) {
    this.#records = records
    this.#next = next
    this.#end = next
  }

  get next(): Sequence {
    return this.#next
  }

  released(first: Sequence, count: number): void {
    this.#end = Math.max(this.#end, first + count)
  }

  returned(sequence: Sequence): void {
    this.#lane.push(sequence)
  }

  take(countMax: number): boolean {
    this.#next = this.#records.nextWaiting(this.#next, this.#end)
    const fresh = this.#next < this.#end
    if (this.#laneHead < this.#lane.length && !(fresh && this.#laneHadTurn)) return this.#takeReturned()
    this.#laneHadTurn = false
    if (!fresh) return false
    this.run.first = this.#next
    this.run.count = this.#records.waitingRun(this.#next, Math.min(countMax, this.#end - this.#next))
    this.run.returned = false
    this.#next += this.run.count
    return true
  }

  #takeReturned(): boolean {
    this.#laneHadTurn = true
    this.run.first = this.#lane[this.#laneHead++]
    this.run.count = 1
    this.run.returned = true
    if (this.#laneHead === this.#lane.length) {
      this.#lane = []
      this.#laneHead = 0
    } else if (this.#laneHead >= 1024 && this.#laneHead * 2 > this.#lane.length) {
      this.#lane.splice(0, this.#laneHead)
      this.#laneHead = 0
    }
    return true
  }

  untake(count: number): void {
    if (!this.run.returned) {
      this.#next -= count
    } else if (count > 0) {
      this.#laneHadTurn = false
      if (this.#laneHead > 0) this.#lane[--this.#laneHead] = this.run.first
      else this.#lane.unshift(this.run.first)
    }
  }

  clear(before: Sequence): void {
    this.#lane = []
    this.#laneHead = 0
    this.#next = Math.max(this.#next, before)
    this.#end = Math.max(this.#end, before)
  }
}
