/** Where a codec's results go. */
export interface CodecEnds {
  /** Bytes for the peer. The buffer is the callee's from here on. */
  send(bytes: Uint8Array): void
  /** Bytes from the peer, as they were before it encoded them; used up before this returns. */
  received(chunk: Buffer): void
  /** Takes more of what the peer sends, or less for now. */
  readingWanted(isWanted: boolean): void
  /** Something that was to be encoded has been. */
  encoded(): void
  /** Everything that the peer has sent was handed on. `error`: what it sends from here on cannot be decoded. Called at most once. */
  ended(error: Error | null): void
  /** Nothing can be encoded any more. */
  failed(error: Error): void
}

/** Compresses what goes out and decompresses what comes in, each write by itself so that the peer can read it at once. */
export interface Codec {
  /** @returns whether the caller may use the buffer again */
  encode(bytes: Uint8Array): boolean
  /** Bytes that were given to {@link encode} and have not been sent on yet. */
  readonly pendingBytes: number
  decode(chunk: Buffer): void
  /** The peer sends nothing more. */
  inputEnded(): void
  /** Nothing more is handed on until {@link resume}, but for what is in hand already. Idempotent, both. */
  pause(): void
  resume(): void
  /** Calls back once everything has been sent on. What is decoded from now on is thrown away. */
  end(sent: () => void): void
  destroy(): void
}
