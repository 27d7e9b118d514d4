import type { TlsWishes } from './credentials.js'
import type { Compression } from './stream-codecs.js'

/** What is done to a broker, one after the other. `on` names a connection of the case. */
export type Step =
  | { readonly connect: string }
  /** Bytes as they are; `{id:0}` stands for the id of the first message that this connection got, `{b.id:0}` for that of b's. */
  | { readonly on: string; readonly send: string | Uint8Array }
  /** So many frames are waited for; heartbeats do not count. */
  | { readonly on: string; readonly frames: number; readonly inAnyOrder?: true }
  /** Everything up to the end of the connection. */
  | { readonly on: string; readonly rest: true }
  /** The client sends nothing more; `beneath`: and TLS does not say so. */
  | { readonly on: string; readonly end: true | 'beneath' }
  /** The client's end of what IDENTIFY has agreed on; everything from here on goes through it. */
  | { readonly on: string; readonly change: 'tls' | Compression; readonly tls?: TlsWishes }
  /** Bytes past everything that the stream was changed into. */
  | { readonly on: string; readonly beneath: string | Uint8Array }
  | {
      readonly request: string
      readonly body?: string | Uint8Array
      readonly headers?: Readonly<Record<string, string>>
      /** By HTTPS. */
      readonly tls?: TlsWishes
    }
  /** Asked again until the answer matches: for what nsqd does a moment later. */
  | { readonly until: string; readonly matches: RegExp }

/** One thing that both brokers are asked, in bytes. */
export interface Case {
  readonly name: string
  /** What of the specification it shows; see `rows.ts`. */
  readonly rows: readonly string[]
  readonly steps: readonly Step[]
  /**
   * Flags of both brokers, besides addresses and data path. `{auth}` is the address of an auth server, `{https}` a free one,
   * and `{cert}`, `{key}`, `{ca}` are files.
   */
  readonly flags?: readonly string[]
  /** The row of docs/compatibility.md, by its first cell, that says why the answers differ. */
  readonly differs?: string
}

/** An int32 in front of bytes, as bodies have it. */
export function sized(...parts: readonly (string | Uint8Array)[]): Buffer {
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}

export function int32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeInt32BE(value, 4 * index)
  return bytes
}

export const bytes = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))))

/** The magic, then these bytes; then everything that comes back until the end. */
export function fatal(...parts: readonly (string | Uint8Array)[]): Step[] {
  return [{ connect: 'a' }, { on: 'a', send: bytes('  V2', ...parts) }, { on: 'a', rest: true }]
}

/** The magic, then these bytes; then so many frames. */
export function answered(frames: number, ...parts: readonly (string | Uint8Array)[]): Step[] {
  return [{ connect: 'a' }, { on: 'a', send: bytes('  V2', ...parts) }, { on: 'a', frames }]
}
