import { type LookupAllOptions, type LookupOptions, lookup as lookUp } from 'node:dns'
import type { LookupFunction } from 'node:net'

type Callback = Parameters<LookupFunction>[2]

/** Each takes one of the four threads that files are read and written with, for as long as the name server is silent. */
const RUNNING_MAX = 2

interface Waiting {
  readonly host: string
  readonly options: LookupOptions
  readonly callbacks: Callback[]
}

/**
 * The system's look-ups of host names, two at a time and each name once, so that a dead name server does not keep the
 * broker from its disk. Nothing is remembered: each connection asks anew.
 */
export class NameLookups {
  readonly #lookUp: LookupFunction
  /** Those that run and those that wait, by what they ask; one for each name, so there are not many. */
  readonly #asked = new Map<string, Waiting>()
  readonly #waiting: string[] = []
  #runningCount = 0

  constructor(lookUpName: LookupFunction = lookUp as LookupFunction) {
    this.#lookUp = lookUpName
  }

  /** For `net.connect` and `http.request`. */
  readonly lookup: LookupFunction = (host, options, callback) => {
    const { family, hints, all } = options as LookupAllOptions
    const key = JSON.stringify([host, family, hints, all])
    const asked = this.#asked.get(key)
    if (asked !== undefined) {
      asked.callbacks.push(callback)
      return
    }
    this.#asked.set(key, { host, options, callbacks: [callback] })
    this.#waiting.push(key)
    this.#run()
  }

  #run(): void {
    while (this.#runningCount < RUNNING_MAX) {
      const key = this.#waiting.shift()
      if (key === undefined) return
      const { host, options, callbacks } = this.#asked.get(key) as Waiting
      this.#runningCount++
      this.#lookUp(host, options, (...answer) => {
        this.#runningCount--
        this.#asked.delete(key)
        for (const callback of callbacks) callback(...answer)
        this.#run()
      })
    }
  }
}
