import type { BrokerOptions } from '@spillway/core'

/** What a client may set by IDENTIFY. */
export interface ClientSettings {
  readonly clientId: string
  readonly hostname: string
  readonly userAgent: string
  /** 0: none, and no deadlines. */
  readonly heartbeatIntervalMs: number
  /** 1: messages are never held back. */
  readonly outputBufferSizeBytes: number
  /** 0: held messages wait for something else that is sent. */
  readonly outputBufferTimeoutMs: number
  /** 0: every message; otherwise a percentage of them. */
  readonly sampleRate: number
  readonly msgTimeoutMs: number
  readonly topologyRegion: string
  readonly topologyZone: string
}

/** Those of a client that does not identify itself. `remoteIp` is empty on Unix sockets. */
export function defaultSettings(options: BrokerOptions, remoteIp: string): ClientSettings {
  return {
    clientId: remoteIp,
    hostname: remoteIp,
    userAgent: '',
    heartbeatIntervalMs: options.heartbeatIntervalMs,
    outputBufferSizeBytes: options.outputBufferSizeBytes,
    outputBufferTimeoutMs: options.outputBufferTimeoutMs,
    sampleRate: 0,
    msgTimeoutMs: options.msgTimeoutMs,
    topologyRegion: '',
    topologyZone: '',
  }
}

/**
 * Whether messages are held back as the client asked for. A client that asked for nothing else than the defaults gets
 * its messages at the end of the turn in which they are there: sooner than nsqd's, which waits for a ticker.
 */
export function holdsMessages(settings: ClientSettings, options: BrokerOptions): boolean {
  if (settings.outputBufferSizeBytes === 1) return false
  return (
    settings.outputBufferSizeBytes !== options.outputBufferSizeBytes ||
    settings.outputBufferTimeoutMs !== options.outputBufferTimeoutMs
  )
}
