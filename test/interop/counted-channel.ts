import { eventually } from '../support/eventually.js'
import { RawClient } from '../support/raw-client.js'
import type { RunningBroker } from '../support/start-broker.js'
import { plannedLines } from './published-lines.js'

const LIMIT_MS = 10_000
const HOUR_MS = 3_600_000

/** What {@link countedChannel} leaves in its channel. */
export const COUNTED = { depth: 17, inFlight: 1, deferred: 1, requeued: 1, timedOut: 0, messages: 20, clients: 1 }

/** Makes a topic whose channel `c` has some of everything that is counted, until the client that it returns is closed. */
export async function countedChannel({ http, tcp }: RunningBroker, topic: string): Promise<RawClient> {
  const client = await RawClient.connect(tcp)
  await client.ask(`SUB ${topic} c`)
  await http.post(`/mpub?topic=${topic}`, plannedLines(COUNTED.messages))
  client.send('RDY 3')
  const [requeued, finished] = [await client.message(), await client.message(), await client.message()]
  client.send('RDY 0')
  client.send(`REQ ${requeued.id} ${HOUR_MS}`)
  client.send(`FIN ${finished.id}`)
  await eventually(
    async () => (await http.channelStats(topic, 'c'))?.in_flight_count === COUNTED.inFlight || undefined,
    LIMIT_MS,
    'one message in flight',
  )
  return client
}
