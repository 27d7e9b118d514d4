const JSON_LINE = /^GET \/stats\?format=json.*\n {2}(\{.*\})$/s

const MASKED_NUMBER = /:N(?=[,}])/g

interface Client {
  readonly client_id: string
  readonly pub_counts?: unknown
}
interface Stats {
  readonly topics: readonly { readonly channels: readonly { clients: readonly Client[] | null }[] }[] | null
  producers: readonly Client[] | null
}

/**
 * An answer without what depends on other conversations and on the order of Go's maps: of the producers only those of
 * the topic that was asked for (the others have no counts there), and clients by their names.
 */
export function canonical(line: string): string {
  const json = JSON_LINE.exec(line)?.[1]
  if (json === undefined || !/[?&]topic=/.test(line)) return line
  const stats = JSON.parse(json.replace(MASKED_NUMBER, ':"N"')) as Stats
  for (const channel of stats.topics?.flatMap(({ channels }) => channels) ?? [])
    channel.clients = sorted(channel.clients)
  stats.producers = sorted(stats.producers?.filter(({ pub_counts }) => pub_counts !== undefined) ?? [])
  return line.replace(json, () => JSON.stringify(stats))
}

function sorted(clients: readonly Client[] | null): readonly Client[] | null {
  return clients === null ? null : clients.toSorted((a, b) => (a.client_id < b.client_id ? -1 : 1))
}
