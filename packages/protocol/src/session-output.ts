import type { TlsStats } from '@spillway/core'

/** What a stream can be changed into after IDENTIFY, in the order in which that happens. */
export type UpgradeKind = 'tls' | 'snappy' | 'deflate'

/** One change of the stream. */
export interface Upgrade {
  readonly kind: UpgradeKind
  /** 1 … 9 for `deflate`, 0 for the others. */
  readonly level: number
}

/** What a transport offers to change its streams into. */
export interface UpgradeSupport {
  readonly tls: boolean
  readonly snappy: boolean
  readonly deflate: boolean
}

/** For a transport whose streams stay as they are. */
export const NO_UPGRADES: UpgradeSupport = { tls: false, snappy: false, deflate: false }

/** The other end of an encrypted stream. */
export interface TlsPeer extends TlsStats {
  /** Of the peer's certificate; empty without one. */
  readonly commonName: string
}

/** The bytes' way out of a session, and its hold on the bytes that come in. One per connection, made by the transport. */
export interface SessionOutput {
  /**
   * Sends `bytes` after everything that was written before.
   * @returns whether the caller may use the buffer again: the operating system has taken all of it, or it was copied.
   * If not, the output keeps the buffer, which then must never change.
   */
  write(bytes: Uint8Array): boolean
  /** Bytes that were written here and that the operating system has not taken yet. */
  readonly pendingBytes: number
  /**
   * Something that was written is still being worked on, in another thread, and what is written now would wait for it: it
   * may as well be gathered. Whenever that is over, the session is told by `drained()`.
   */
  readonly isEncoding: boolean
  /** Asks that nothing more be read for now; what was read already may still be handed over. Idempotent. */
  pauseReading(): void
  /** Reads again. Idempotent. */
  resumeReading(): void
  /** Sends what is pending, then closes the connection. What the peer still sends is thrown away. */
  end(): void
  /** Closes the connection at once; what is pending is lost. */
  destroy(): void
  /** Null while the stream is not encrypted. */
  readonly tls: TlsPeer | null
  /** What {@link upgrade} can do. */
  readonly upgrades: UpgradeSupport
  /**
   * Changes the stream, in both directions, once everything written so far has left unchanged. Nothing is read or written
   * until it resolves. @throws Error whose message says why not; the client can then be told, over the
   * stream as it is, or the stream is closed.
   */
  upgrade(upgrade: Upgrade): Promise<void>
}
