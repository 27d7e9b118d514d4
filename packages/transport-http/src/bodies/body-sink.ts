/** Takes the body of one request, part by part. */
export interface BodySink {
  /** The next part, not empty; valid until this returns. @throws HttpError to refuse the request: nothing more is wanted then. */
  write(part: Buffer): void
  /** The body is complete: answers the request, or has it answered. @throws HttpError to refuse the request. */
  end(): void
  /** Gives back the memory. Called once: after `end`, after a refusal, or when the client has gone. */
  release(): void
}
