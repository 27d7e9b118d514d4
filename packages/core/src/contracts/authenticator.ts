/** Who asks: what a transport knows of a connection when it authenticates. */
export interface AuthRequest {
  readonly secret: Uint8Array
  /** The peer's IP address; empty on Unix sockets. */
  readonly remoteIp: string
  readonly tls: boolean
  /** Common name of the client's certificate; empty without one. */
  readonly commonName: string
}

/** Who somebody is and what they may do, until it expires. Checks are synchronous and cheap. */
export interface Identity {
  readonly identity: string
  readonly identityUrl: string
  readonly permissionCount: number
  /** Wall-clock milliseconds; afterwards the next command authenticates again with the same secret. */
  readonly expiresAtMs: number
  /** @param topic - a valid name, as in {@link mayConsume}: transports refuse others themselves */
  mayPublish(topic: string): boolean
  mayConsume(topic: string, channel: string): boolean
  /**
   * Whether this is somebody who runs the node: pauses, empties and deletes topics and channels, changes settings, looks into
   * the process. It says nothing of publishing and consuming, which every transport asks for on its own.
   */
  readonly mayAdminister: boolean
}

/** Decides who may publish and consume what. One rule set for every transport. */
export interface Authenticator {
  /**
   * @param request - whose secret has at most 16 KiB: nobody is asked about longer ones
   * @returns the identity, or `null` when the secret is known to carry no permission at all (`E_UNAUTHORIZED`).
   * @throws BrokerError `E_AUTH_FAILED` when no answer could be had or it made no sense; details go to the log only.
   * Anything else that it throws is logged by the node and told to the client as the same.
   */
  authenticate(request: AuthRequest): Promise<Identity | null>
  /** Releases what it holds. Idempotent. */
  close(): Promise<void>
}
