import type { Broker, ListenAddress } from '@spillway/core'
import { toGoJson } from '@spillway/http'
import type { Exchange } from '../exchange.js'
import type { Route } from './route.js'

const NS_PER_MS = 1e6

export const infoRoutes: readonly Route[] = [
  { method: 'GET', path: '/ping', access: 'anybody', handle: ping },
  { method: 'GET', path: '/info', access: 'anybody', handle: info },
]

function ping(exchange: Exchange): void {
  const { health } = exchange.broker
  if (health === 'OK') exchange.sendPlainText(200, 'OK')
  else exchange.sendPlainText(500, `NOK - ${health}`)
}

function info(exchange: Exchange): void {
  const { broker } = exchange
  const { options } = broker
  const json = toGoJson({
    version: options.version,
    broadcast_address: options.broadcastAddress,
    hostname: options.hostname,
    http_port: portOf(broker, 'http'),
    tcp_port: portOf(broker, 'tcp'),
    start_time: Math.floor(broker.startedAtMs / 1000),
    max_heartbeat_interval: options.heartbeatIntervalMsMax * NS_PER_MS,
    max_output_buffer_size: options.outputBufferSizeBytesMax,
    max_output_buffer_timeout: options.outputBufferTimeoutMsMax * NS_PER_MS,
    max_deflate_level: options.deflateLevelMax,
    topology_zone: options.topologyZone,
    topology_region: options.topologyRegion,
  })
  exchange.sendJson(200, json)
}

/** The port of the first listener that has one; -1 when there are only Unix sockets, or none. */
function portOf(broker: Broker, protocol: ListenAddress['protocol']): number {
  return broker.addresses.find((address) => address.protocol === protocol && address.port > 0)?.port ?? -1
}
