import { setTimeout as sleep } from 'node:timers/promises'
import { readFolderBytes } from './data-path.js'
import type { RunningSubject } from './subject.js'

export const MB = 1e6
export const MIB = 1024 * 1024

const SAMPLE_MS = 250
/** What is said about the course of things is at least so far apart. */
const SAY_MS = 5000

/** The largest values seen. */
export interface Peak {
  readonly residentBytes: number
  readonly sizeBytes: number
}

/** Watches what a broker takes of memory and disk while something else goes on. */
export class Footprint {
  readonly #subject: RunningSubject
  readonly #progress: (text: string) => void
  readonly #timer: NodeJS.Timeout
  #residentBytes = 0
  #sizeBytes = 0
  #saidAtMs = performance.now()

  constructor(subject: RunningSubject, progress: (text: string) => void) {
    this.#subject = subject
    this.#progress = progress
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS)
  }

  /** The peak since the last call, or since the beginning; a new one begins. */
  take(): Peak {
    this.#sample()
    const peak = { residentBytes: this.#residentBytes, sizeBytes: this.#sizeBytes }
    this.#residentBytes = 0
    this.#sizeBytes = 0
    return peak
  }

  /** Before the broker ends. */
  stop(): Peak {
    clearInterval(this.#timer)
    return this.take()
  }

  #sample(): void {
    const residentBytes = this.#subject.process.readResidentBytes()
    const sizeBytes = readFolderBytes(this.#subject.dataPath)
    if (residentBytes > this.#residentBytes) this.#residentBytes = residentBytes
    if (sizeBytes > this.#sizeBytes) this.#sizeBytes = sizeBytes
    const nowMs = performance.now()
    if (nowMs - this.#saidAtMs < SAY_MS) return
    this.#saidAtMs = nowMs
    this.#progress(`${inMb(sizeBytes)} on disk, ${inMb(residentBytes)} resident`)
  }
}

/** How a data path became small again. */
export interface Shrinking {
  /** Until it was under the limit; infinite when it never was. */
  readonly elapsedMs: number
  readonly sizeBytes: number
  /** Size over time, as a line of text. */
  readonly course: string
}

const SHRINK_SAMPLE_MS = 100

/** Waits until the data path has been under `limitBytes`, and a tenth of the time more, or for `elapsedMsMax`. */
export async function watchShrinking(
  subject: RunningSubject,
  limitBytes: number,
  elapsedMsMax: number,
): Promise<Shrinking> {
  const startedAtMs = performance.now()
  let underAtMs = Number.POSITIVE_INFINITY
  let sizeBytes = 0
  const course: string[] = []
  let noteAtMs = 0
  for (;;) {
    const elapsedMs = performance.now() - startedAtMs
    sizeBytes = readFolderBytes(subject.dataPath)
    if (sizeBytes > limitBytes) underAtMs = Number.POSITIVE_INFINITY
    else underAtMs = Math.min(underAtMs, elapsedMs)
    const enough = elapsedMs >= Math.min(elapsedMsMax, underAtMs + elapsedMsMax / 10)
    if (elapsedMs >= noteAtMs || enough) {
      course.push(`${(elapsedMs / 1000).toFixed(1)} s ${inMb(sizeBytes)}`)
      noteAtMs = elapsedMs * 1.5 + SHRINK_SAMPLE_MS * 5
    }
    if (enough) return { elapsedMs: underAtMs, sizeBytes, course: course.join(', ') }
    await sleep(SHRINK_SAMPLE_MS)
  }
}

export const inMb = (sizeBytes: number): string => `${(sizeBytes / MB).toFixed(0)} MB`
