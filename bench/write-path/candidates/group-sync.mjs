import { fdatasync } from 'node:fs'

function syncInPool(fd) {
  return new Promise((resolve, reject) => fdatasync(fd, (error) => (error ? reject(error) : resolve())))
}

/** One fdatasync at a time, shared by all who wait when it begins. */
export class GroupSync {
  #dirty = new Set()
  #next = withResolvers()
  #running

  /** Resolves when what has been written to `fd` so far is on the disk. */
  wait(fd) {
    this.#dirty.add(fd)
    const { promise } = this.#next
    this.#running ??= this.#run()
    return promise
  }

  /** Resolves when nobody needs `fd` any more. */
  async settled(fd) {
    if (this.#dirty.has(fd)) await this.#next.promise
    await this.#running
  }

  async #run() {
    // Whoever writes in the same turn still takes part.
    await undefined
    const { resolve } = this.#next
    const fds = [...this.#dirty]
    this.#dirty.clear()
    this.#next = withResolvers()
    await Promise.all(fds.map(syncInPool))
    this.#running = this.#dirty.size > 0 ? this.#run() : undefined
    resolve()
  }
}

function withResolvers() {
  let resolve
  const promise = new Promise((resolved) => {
    resolve = resolved
  })
  return { promise, resolve }
}
