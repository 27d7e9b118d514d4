import type { ConnectionSettings } from './connection-options.js'
import { NsqError } from './errors.js'

/** What a node has said of itself and granted. */
export interface NodeInfo {
  readonly version: string
  /** No RDY may be larger. */
  readonly maxRdyCount: number
  /** A message that is neither finished, requeued nor touched for that long is delivered again. */
  readonly messageTimeoutMs: number
  /** How far touching can extend that, from the delivery on. */
  readonly messageTimeoutMsMax: number
  readonly isEncrypted: boolean
  readonly compression: 'none' | 'deflate' | 'snappy'
  readonly isAuthRequired: boolean
}

/** What a node has that says nothing: one that does not negotiate. */
const SILENT: NodeInfo = {
  version: '',
  maxRdyCount: 2_500,
  messageTimeoutMs: 60_000,
  messageTimeoutMsMax: 900_000,
  isEncrypted: false,
  compression: 'none',
  isAuthRequired: false,
}

/** `IDENTIFY`, its size and its JSON. */
export function identifyCommand(settings: ConnectionSettings): Buffer {
  const body = {
    client_id: settings.clientId,
    hostname: settings.hostname,
    user_agent: settings.userAgent,
    feature_negotiation: true,
    heartbeat_interval: settings.heartbeatIntervalMs,
    tls_v1: settings.tls !== null,
    deflate: settings.compression === 'deflate',
    deflate_level: settings.deflateLevel,
    snappy: settings.compression === 'snappy',
    output_buffer_size: settings.outputBufferSizeBytes,
    output_buffer_timeout: settings.outputBufferTimeoutMs,
    msg_timeout: settings.messageTimeoutMs,
    sample_rate: settings.sampleRatePercent,
    topology_region: settings.topologyRegion,
    topology_zone: settings.topologyZone,
  }
  return commandWithBody('IDENTIFY\n', JSON.stringify(body))
}

/** `AUTH`, its size and the secret. */
export function authCommand(secret: string): Buffer {
  return commandWithBody('AUTH\n', secret)
}

function commandWithBody(line: string, body: string): Buffer {
  const size = Buffer.allocUnsafe(4)
  size.writeInt32BE(Buffer.byteLength(body))
  return Buffer.concat([Buffer.from(line), size, Buffer.from(body)])
}

/** @throws NsqError `E_PROTOCOL` */
export function parseIdentifyReply(text: string): NodeInfo {
  if (!text.startsWith('{')) return SILENT
  let reply: Readonly<Record<string, unknown>>
  try {
    reply = JSON.parse(text)
  } catch (error) {
    throw new NsqError('E_PROTOCOL', 'the answer to IDENTIFY is no JSON', { cause: error })
  }
  const count = (name: string, fallback: number): number => {
    const value = reply[name]
    return typeof value === 'number' && value > 0 ? value : fallback
  }
  return {
    version: typeof reply.version === 'string' ? reply.version : '',
    maxRdyCount: count('max_rdy_count', SILENT.maxRdyCount),
    messageTimeoutMs: count('msg_timeout', SILENT.messageTimeoutMs),
    messageTimeoutMsMax: count('max_msg_timeout', SILENT.messageTimeoutMsMax),
    isEncrypted: reply.tls_v1 === true,
    compression: reply.deflate === true ? 'deflate' : reply.snappy === true ? 'snappy' : 'none',
    isAuthRequired: reply.auth_required === true,
  }
}
