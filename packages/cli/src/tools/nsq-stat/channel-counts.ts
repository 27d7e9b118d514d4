/** The counters of one channel, over all nodes that have it. */
export interface ChannelCounts {
  readonly depth: number
  readonly memoryDepth: number
  readonly backendDepth: number
  readonly inFlightCount: number
  readonly deferredCount: number
  readonly requeueCount: number
  readonly timeoutCount: number
  readonly messageCount: number
  readonly clientCount: number
}

/** What is read of a node's `/stats?format=json`. */
export interface StatsAnswer {
  readonly topics?: readonly {
    readonly topic_name?: string
    readonly channels?: readonly Readonly<Record<string, unknown>>[] | null
  }[]
}

/** @returns null when the node does not have the topic; undefined when it has the topic without the channel */
export function channelCountsOf(answer: StatsAnswer, topic: string, channel: string): ChannelCounts | null | undefined {
  const found = answer.topics?.find(({ topic_name }) => topic_name === topic)
  if (found === undefined) return null
  const stats = found.channels?.find(({ channel_name }) => channel_name === channel)
  if (stats === undefined) return undefined
  const count = (key: string): number => Number(stats[key] ?? 0)
  const { clients } = stats
  return {
    depth: count('depth'),
    memoryDepth: count('depth') - count('backend_depth'),
    backendDepth: count('backend_depth'),
    inFlightCount: count('in_flight_count'),
    deferredCount: count('deferred_count'),
    requeueCount: count('requeue_count'),
    timeoutCount: count('timeout_count'),
    messageCount: count('message_count'),
    // Nodes older than 1.2 count no clients, and list them even when they are asked not to.
    clientCount: stats.client_count === undefined && Array.isArray(clients) ? clients.length : count('client_count'),
  }
}

/** @param each - of nodes; one at least */
export function sumOf(each: readonly ChannelCounts[]): ChannelCounts {
  return each.reduce((sum, counts) => ({
    depth: sum.depth + counts.depth,
    memoryDepth: sum.memoryDepth + counts.memoryDepth,
    backendDepth: sum.backendDepth + counts.backendDepth,
    inFlightCount: sum.inFlightCount + counts.inFlightCount,
    deferredCount: sum.deferredCount + counts.deferredCount,
    requeueCount: sum.requeueCount + counts.requeueCount,
    timeoutCount: sum.timeoutCount + counts.timeoutCount,
    messageCount: sum.messageCount + counts.messageCount,
    clientCount: sum.clientCount + counts.clientCount,
  }))
}
