import type { BrokerStats, ChannelStats, ClientStats, TopicStats } from '@spillway/core'

export const CONNECTED_AT_MS = 1_767_322_980_500

export function clientStats(stats: Partial<ClientStats> = {}): ClientStats {
  return {
    clientId: 'worker',
    hostname: 'worker.test',
    userAgent: 'ua/1',
    version: 'V2',
    remoteAddress: '10.0.0.9:36352',
    state: 3,
    readyCount: 5,
    inFlightCount: 1,
    messageCount: 4,
    finishCount: 2,
    requeueCount: 1,
    connectedAtMs: CONNECTED_AT_MS,
    sampleRate: 0,
    deflate: false,
    snappy: false,
    tls: null,
    authIdentity: '',
    authIdentityUrl: '',
    authed: false,
    topologyZone: '',
    topologyRegion: '',
    publishCounts: new Map(),
    ...stats,
  }
}

export function channelStats(stats: Partial<ChannelStats> = {}): ChannelStats {
  return {
    name: 'ch',
    depth: 3,
    backendDepth: 2,
    inFlightCount: 1,
    deferredCount: 4,
    messageCount: 12,
    deliveryCount: 0,
    requeueCount: 5,
    timeoutCount: 6,
    clientCount: 0,
    clients: [],
    paused: false,
    oldestAgeMs: null,
    e2eLatency: null,
    ...stats,
  }
}

export function topicStats(stats: Partial<TopicStats> = {}): TopicStats {
  return {
    name: 't',
    depth: 7,
    backendDepth: 1,
    messageCount: 19,
    messageBytes: 190,
    droppedCount: 0,
    paused: false,
    e2eLatency: null,
    channels: [],
    ...stats,
  }
}

/** A paused topic without channels, and one with a consumer and a producer that consumes as well. */
export const BUSY: BrokerStats = {
  topics: [
    topicStats({ name: 'a', paused: true, depth: 0, backendDepth: 0, messageCount: 0, messageBytes: 0 }),
    topicStats({
      channels: [
        channelStats({ clientCount: 1, clients: [clientStats()] }),
        channelStats({
          name: 'paused',
          paused: true,
          clientCount: 1,
          clients: [clientStats({ publishCounts: new Map([['t', 7]]) })],
        }),
      ],
    }),
  ],
  producers: [
    clientStats({
      clientId: 'maker',
      hostname: 'a-rather-long-host.test',
      state: 0,
      publishCounts: new Map([
        ['t', 7],
        ['b', 1],
      ]),
    }),
  ],
}
