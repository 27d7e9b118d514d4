import type { ValueWrite } from './value-list.js'

/** Values that are in the journal and not in RocksDB yet. Later writes win. */
export class PendingValues {
  /** Keys as latin1 strings, so that each byte is a character. */
  readonly #values = new Map<string, Uint8Array | null>()
  /** Everything that began with one of these is gone, unless it was written afterwards. */
  readonly #prefixes: string[] = []

  get isEmpty(): boolean {
    return this.#values.size === 0 && this.#prefixes.length === 0
  }

  apply({ key, value }: ValueWrite): void {
    const name = nameOf(key)
    if (value !== 'prefix') {
      this.#values.set(name, value)
      return
    }
    for (const other of this.#values.keys()) if (other.startsWith(name)) this.#values.delete(other)
    this.#prefixes.push(name)
  }

  /** Takes over what was written later. */
  absorb(later: PendingValues): void {
    for (const key of later.prefixes()) this.apply({ key, value: 'prefix' })
    for (const [key, value] of later.entries()) this.apply({ key, value })
  }

  /** The value; null when it is forgotten; undefined when nothing is known of it here. */
  get(key: Uint8Array): Uint8Array | null | undefined {
    const name = nameOf(key)
    const value = this.#values.get(name)
    if (value !== undefined) return value
    return this.#prefixes.some((prefix) => name.startsWith(prefix)) ? null : undefined
  }

  /** Brings what was found below up to date: `found` has the keys that begin with `prefix`. */
  overlay(found: Map<string, Uint8Array>, prefix: Uint8Array): void {
    const start = nameOf(prefix)
    for (const forgotten of this.#prefixes) {
      for (const name of found.keys()) if (name.startsWith(forgotten)) found.delete(name)
    }
    for (const [name, value] of this.#values) {
      if (!name.startsWith(start)) continue
      if (value === null) found.delete(name)
      else found.set(name, value)
    }
  }

  /** Prefixes to forget first. */
  *prefixes(): Generator<Buffer> {
    for (const prefix of this.#prefixes) yield Buffer.from(prefix, 'latin1')
  }

  *entries(): Generator<readonly [key: Buffer, value: Uint8Array | null]> {
    for (const [name, value] of this.#values) yield [Buffer.from(name, 'latin1'), value]
  }
}

export function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
