import type { PeerInfo } from '../registrations/peer.js'
import { FatalError } from './fatal-error.js'

type Fields = { -readonly [Name in keyof PeerInfo]: PeerInfo[Name] }

/**
 * What an nsqd tells of itself. As in Go, letter case does not count in names, null leaves a field as it is, and what nobody
 * knows is passed over.
 * @throws FatalError
 */
export function parsePeerInfo(body: Buffer, remoteAddress: string): PeerInfo {
  const fields: Fields = {
    remote_address: '',
    hostname: '',
    broadcast_address: '',
    tcp_port: 0,
    http_port: 0,
    version: '',
    topology_zone: '',
    topology_region: '',
  }
  for (const [key, value] of Object.entries(parseObject(body))) {
    const name = key.toLowerCase()
    if (value !== null && Object.hasOwn(fields, name)) set(fields, name as keyof Fields, value)
  }
  const { broadcast_address, tcp_port, http_port, version } = fields
  if (broadcast_address === '' || tcp_port === 0 || http_port === 0 || version === '') {
    throw new FatalError('E_BAD_BODY', 'IDENTIFY missing fields')
  }
  return { ...fields, remote_address: remoteAddress }
}

function parseObject(body: Buffer): object {
  let value: unknown
  try {
    value = JSON.parse(body.toString())
  } catch {
    throw undecodable()
  }
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw undecodable()
  return value
}

function set(fields: Fields, name: keyof Fields, value: unknown): void {
  const isPort = name === 'tcp_port' || name === 'http_port'
  if (isPort ? !Number.isSafeInteger(value) : typeof value !== 'string') throw undecodable()
  Object.assign(fields, { [name]: value })
}

const undecodable = (): FatalError => new FatalError('E_BAD_BODY', 'IDENTIFY failed to decode JSON body')
