import type { Clock } from '@spillway/core'
import type { Registration } from './registration.js'

/** What an nsqd tells of itself, in nsqlookupd's order and names. */
export interface PeerInfo {
  readonly remote_address: string
  readonly hostname: string
  readonly broadcast_address: string
  readonly tcp_port: number
  readonly http_port: number
  readonly version: string
  readonly topology_zone: string
  readonly topology_region: string
}

/** An nsqd that has said who it is, for as long as it is connected. */
export class Peer {
  readonly info: PeerInfo
  /** Where it is a producer; the database's own. */
  readonly registrations = new Set<Registration>()
  readonly #clock: Clock
  #heardAtMs = 0
  #heardAtWallMs = 0

  constructor(info: PeerInfo, clock: Clock) {
    this.info = info
    this.#clock = clock
    this.heard()
  }

  /** It has said something that counts: IDENTIFY or PING. */
  heard(): void {
    this.#heardAtMs = this.#clock.monotonicMs()
    this.#heardAtWallMs = this.#clock.wallMs()
  }

  get heardAtWallMs(): number {
    return this.#heardAtWallMs
  }

  /** How long it has said nothing. */
  get silentMs(): number {
    return this.#clock.monotonicMs() - this.#heardAtMs
  }

  /** What tombstones call it. IPv6 addresses have no brackets there. */
  get nodeName(): string {
    return `${this.info.broadcast_address}:${this.info.http_port}`
  }
}
