import { BrokerError, type BrokerOptions } from '@spillway/core'
import type { ClientSettings } from './client-settings.js'
import type { IdentifyRequest } from './identify-request.js'
import type { Upgrade, UpgradeSupport } from './session-output.js'

const HEARTBEAT_INTERVAL_MS_MIN = 1000
const MSG_TIMEOUT_MS_MIN = 1000
const OUTPUT_BUFFER_SIZE_BYTES_MIN = 64
const SAMPLE_RATE_MAX = 99
const DEFLATE_LEVEL_DEFAULT = 6

/** What IDENTIFY has led to. */
export interface Negotiated {
  readonly settings: ClientSettings
  /** The JSON that answers it; `OK` when the client does not negotiate. */
  readonly reply: string
  /** To be done after the reply, in this order. */
  readonly upgrades: readonly Upgrade[]
}

/**
 * Applies a client's wishes to the settings that it has. 0 leaves a number as it is.
 * @throws BrokerError `E_BAD_BODY`, `E_IDENTIFY_FAILED`
 */
export function negotiate(
  request: IdentifyRequest,
  current: ClientSettings,
  options: BrokerOptions,
  support: UpgradeSupport,
  isAuthRequired: boolean,
): Negotiated {
  const settings = applyRequest(request, current, options)
  if (!request.feature_negotiation) return { settings, reply: 'OK', upgrades: [] }
  const tls = request.tls_v1 && support.tls
  const deflate = request.deflate && support.deflate
  const snappy = request.snappy && support.snappy
  if (deflate && snappy) {
    throw new BrokerError('E_IDENTIFY_FAILED', 'cannot enable both deflate and snappy compression')
  }
  const level = deflate && request.deflate_level > 0 ? request.deflate_level : DEFLATE_LEVEL_DEFAULT
  const deflateLevel = Math.min(level, options.deflateLevelMax)
  const reply = {
    max_rdy_count: options.readyCountMax,
    version: options.version,
    max_msg_timeout: options.msgTimeoutMsMax,
    msg_timeout: settings.msgTimeoutMs,
    tls_v1: tls,
    deflate,
    deflate_level: deflateLevel,
    max_deflate_level: options.deflateLevelMax,
    snappy,
    sample_rate: settings.sampleRate,
    auth_required: isAuthRequired,
    output_buffer_size: settings.outputBufferSizeBytes,
    output_buffer_timeout: settings.outputBufferTimeoutMs,
    // The server's own, whatever the client's are.
    topology_region: options.topologyRegion,
    topology_zone: options.topologyZone,
  }
  const upgrades: Upgrade[] = []
  if (tls) upgrades.push({ kind: 'tls', level: 0 })
  if (snappy) upgrades.push({ kind: 'snappy', level: 0 })
  if (deflate) upgrades.push({ kind: 'deflate', level: deflateLevel })
  return { settings, reply: JSON.stringify(reply), upgrades }
}

function applyRequest(request: IdentifyRequest, current: ClientSettings, options: BrokerOptions): ClientSettings {
  // In nsqd's order: the first bad one is the one that the error names.
  const heartbeatIntervalMs = heartbeatIntervalOf(request, current, options)
  const timeoutMs = outputBufferTimeoutOf(request, current, options)
  const sizeBytes = outputBufferSizeOf(request, current, options)
  const { sample_rate: sampleRate } = request
  if (sampleRate < 0 || sampleRate > SAMPLE_RATE_MAX) throw invalid('sample rate', sampleRate)
  const msgTimeoutMs = msgTimeoutOf(request, current, options)
  return {
    clientId: request.client_id,
    hostname: request.hostname,
    userAgent: request.user_agent,
    heartbeatIntervalMs,
    outputBufferSizeBytes: sizeBytes,
    outputBufferTimeoutMs: request.output_buffer_size === -1 ? 0 : timeoutMs,
    sampleRate,
    msgTimeoutMs,
    topologyRegion: request.topology_region,
    topologyZone: request.topology_zone,
  }
}

function heartbeatIntervalOf(request: IdentifyRequest, current: ClientSettings, options: BrokerOptions): number {
  const { heartbeat_interval: wanted } = request
  if (wanted === -1) return 0
  if (wanted === 0) return current.heartbeatIntervalMs
  if (wanted >= HEARTBEAT_INTERVAL_MS_MIN && wanted <= options.heartbeatIntervalMsMax) return wanted
  throw invalid('heartbeat interval', wanted)
}

function outputBufferTimeoutOf(request: IdentifyRequest, current: ClientSettings, options: BrokerOptions): number {
  const { output_buffer_timeout: wanted } = request
  if (wanted === -1) return 0
  if (wanted === 0) return current.outputBufferTimeoutMs
  if (wanted >= options.outputBufferTimeoutMsMin && wanted <= options.outputBufferTimeoutMsMax) return wanted
  throw invalid('output buffer timeout', wanted)
}

function outputBufferSizeOf(request: IdentifyRequest, current: ClientSettings, options: BrokerOptions): number {
  const { output_buffer_size: wanted } = request
  if (wanted === -1) return 1
  if (wanted === 0) return current.outputBufferSizeBytes
  if (wanted >= OUTPUT_BUFFER_SIZE_BYTES_MIN && wanted <= options.outputBufferSizeBytesMax) return wanted
  throw invalid('output buffer size', wanted)
}

function msgTimeoutOf(request: IdentifyRequest, current: ClientSettings, options: BrokerOptions): number {
  const { msg_timeout: wanted } = request
  if (wanted === 0) return current.msgTimeoutMs
  if (wanted >= MSG_TIMEOUT_MS_MIN && wanted <= options.msgTimeoutMsMax) return wanted
  throw invalid('msg timeout', wanted)
}

function invalid(setting: string, value: number): BrokerError {
  return new BrokerError('E_BAD_BODY', `IDENTIFY ${setting} (${value}) is invalid`)
}
