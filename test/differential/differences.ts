import { readFileSync } from 'node:fs'

/** What docs/compatibility.md calls them. */
export const TOPOLOGY_FIELDS = 'topology fields in `/info` and IDENTIFY'
export const MPUB_LENGTH = "MPUB's declared body length"
export const BEYOND_64_BITS = 'numbers of RDY, REQ, DPUB and `defer` beyond 64 bits'
export const BEYOND_2_53 = 'IDENTIFY numbers beyond 2^53'
export const SECOND_IDENTIFY_INSIDE = 'a second IDENTIFY with `output_buffer_size`, inside TLS or compression'
export const MALFORMED_HTTP =
  'malformed or rare HTTP (unknown methods, CONNECT, bare line feeds, folded headers, two lengths, length beside chunked, no Host or two, versions above 1.1, bytes above 0x7e in a URL)'
export const OTHER_REDIRECTS = 'redirects of other methods than GET'
export const LATER_FLAGS = 'flags that came after 1.3.0 (topology, experiments, the method of auth requests)'
export const METRICS = '`/metrics`'
export const DEBUG = '`/debug`'

const PAGE = new URL('../../../docs/compatibility.md', import.meta.url)

/**
 * Differences that can be taken back in a line of ours, so that everything else in it must be what nsqd says. The others
 * change what comes after them.
 */
export const TAKEN_BACK: Readonly<Record<string, (line: string) => string>> = {
  [TOPOLOGY_FIELDS]: (line) => line.replace(/,"topology_(?:zone|region)":"[^"]*"|,"global_msg_count":\d+/g, ''),
  [OTHER_REDIRECTS]: (line) => line.replace(/ -> 308\n/, ' -> 307\n'),
}

interface Parting {
  readonly ours: RegExp
  readonly original: RegExp
  /** What is asked later may differ too. */
  readonly lasts?: true
}

/** Differences after which a conversation goes another way, by how the first lines look that differ. */
export const PARTINGS: Readonly<Record<string, Parting>> = {
  [MPUB_LENGTH]: {
    ours: /^a: error E_BAD_(?:BODY MPUB (?:invalid body size [1-9]|failed to read message count)|MESSAGE MPUB failed to read message)/,
    original: /^a: /,
  },
  [BEYOND_64_BITS]: {
    ours: /^a: error E_INVALID (?:RDY count|DPUB timeout) \d+ out of range|^POST .* -> 400\n.*INVALID_DEFER/s,
    original: /^a: |^POST .* -> 200\n.*OK/s,
    lasts: true,
  },
  [BEYOND_2_53]: {
    ours: /^a: error E_BAD_BODY IDENTIFY [a-z ]+ \(-?\d{16,}\) is invalid/,
    original: /^a: error E_BAD_BODY IDENTIFY [a-z ]+ \(-?\d{16,}\) is invalid/,
  },
  [SECOND_IDENTIFY_INSIDE]: { ours: /^a: /, original: /^a: end|^a: \d+ bytes that are no frame/ },
  [MALFORMED_HTTP]: { ours: / -> 400\n {2}content-type: text\/plain/, original: / -> /, lasts: true },
  [TOPOLOGY_FIELDS]: {
    ours: /^a: error E_BAD_BODY IDENTIFY failed to decode/,
    original: /^a: (?:response |error E_BAD_BODY IDENTIFY)/,
  },
  [LATER_FLAGS]: { ours: / -> 200\n/, original: / -> 400\n.*INVALID_OPTION/s },
  [METRICS]: { ours: / -> (?:200|308|405)\n/, original: / -> 404\n/ },
  [DEBUG]: { ours: / -> 404\n/, original: / -> / },
}

/** Another program, with a test of its own: test/interop/nsqlookupd.interop.ts. */
const NSQLOOKUPD_SECTION = /\n## nsqlookupd\n.*?(?=\n## )/s

/** The first cells of the tables of docs/compatibility.md that are about nsqd: each names a difference. */
export function documentedDifferences(): string[] {
  const lines = readFileSync(PAGE, 'utf8').replace(NSQLOOKUPD_SECTION, '').split('\n')
  const rows = lines.filter(
    (line) => line.startsWith('| ') && !line.startsWith('| what |') && !line.startsWith('| ---'),
  )
  return rows.map((row) => row.split(' | ')[0].slice(2).trim())
}

/**
 * Differences that no exchange of bytes with two fresh brokers shows in a moment: they take time, load, a crash or a disk that
 * is full, or a client that behaves badly for long. Where a test of ours has them, it is named.
 */
export const NOT_SHOWN: Readonly<Record<string, string>> = {
  'a second IDENTIFY': 'packages/protocol/test/identify.test.ts',
  'attempts beyond 65,535': 'packages/core/test/engine/delivery.test.ts',
  'lone messages with the default output buffer (16 kB, 250 ms)': 'a matter of milliseconds',
  '… with another `output_buffer_size` or `output_buffer_timeout`': 'packages/protocol/test/output.test.ts',
  'messages that `sample_rate` leaves out': 'drawn at random',
  order: 'drawn at random by nsqd',
  'timeouts and delays on a channel that is new': 'takes seconds',
  'the delay of DPUB and `defer`': 'takes a restart',
  'message ids': 'masked here',
  'a peer that takes no output': 'takes a heartbeat interval',
  'the read deadline': 'takes two heartbeat intervals',
  'pipelined publishes behind one that failed': 'takes a disk that is full',
  'a body that grows beyond 64 kB while memory or storage is full': 'takes a disk that is full',
  'publishes when the memory budget is used up': 'packages/storage-memory/test/bounds.test.ts',
  SIGTERM: 'test/end-to-end/stopping.test.ts',
  'a publish that cannot be stored': 'test/end-to-end/refusing-storage.test.ts',
  'slow or endless requests': 'packages/transport-http/test/connections.test.ts',
  'a chunked binary `/mpub` above the limit': 'packages/transport-http/test/mpub.test.ts',
  '`pub_counts`': 'packages/transport-http/test/stats-json.test.ts',
  '`dropped_count` of a topic': 'packages/transport-http/test/stats-json.test.ts',
  '`heap_objects`, `next_gc_bytes` in `/stats`': 'masked here',
  'answers to HTTP/1.0': 'not looked at: Node takes off the first line',
  '`built w/…`': 'masked here',
  '`--tls-cert` without `--tls-key`, or the other way round': 'packages/cli/test/nsqd/flags.test.ts',
  certificates: 'packages/transport-tcp/test/changed-streams.test.ts',
  SIGHUP: 'packages/cli/test/spillway/process.test.ts',
  'a deflate stream that the peer completes': 'takes two heartbeat intervals',
  "a permission `admin` in an auth server's answer": 'packages/auth-nsq/test/nsq-authenticator.test.ts',
  '… for less than every topic and channel': 'packages/auth-nsq/test/nsq-authenticator.test.ts',
  'an auth server that redirects to another host, or from https to http':
    'packages/auth-nsq/test/nsq-authenticator.test.ts',
  "an auth server's answer above 1 MiB, with more than 4,096 patterns, or with one of more than 4,096 letters":
    'packages/auth-nsq/test/nsq-authenticator.test.ts',
  'secrets above 16 KiB': 'packages/core/test/node/guarded-authenticator.test.ts',
  'the connect timeout of https auth servers': 'takes seconds',
  '`--tls-root-ca-file` with a certificate that cannot be read beside good ones, while auth servers are asked':
    'packages/auth-nsq/test/nsq-authenticator.test.ts',
  "an auth server's URL that has a query": 'packages/auth-nsq/src/ask.ts',
  'HTTP with authentication on': 'packages/transport-http/test/authorization.test.ts',
  'a new topic, while nsqlookupd is asked for its channels': 'packages/core/test/engine/operations.test.ts',
  '… on a node that has just started': 'packages/discovery-nsqlookupd/test/channels-of.test.ts',
  'an nsqlookupd that was lost': 'packages/discovery-nsqlookupd/test/nsqlookupd-discovery.test.ts',
  'what happens to topics while one is away': 'packages/discovery-nsqlookupd/test/nsqlookupd-discovery.test.ts',
  'commands on their way to one': 'packages/discovery-nsqlookupd/test/nsqlookupd-discovery.test.ts',
  'its errors in answer to commands': 'packages/discovery-nsqlookupd/test/nsqlookupd-discovery.test.ts',
  'its answers above 64 KiB, or above 1 MiB over HTTP':
    'packages/discovery-nsqlookupd/test/nsqlookupd-discovery.test.ts',
  'topics and channels that were there at the start': 'packages/discovery-nsqlookupd/test/nsqlookupd-discovery.test.ts',
  'its host name': 'packages/discovery-nsqlookupd/test/name-lookups.test.ts',
  'log lines about one that does not answer': 'packages/discovery-nsqlookupd/test/nsqlookupd-discovery.test.ts',
  'unknown keys of the TOML file': 'packages/cli/test/nsqd/config-file.test.ts',
  '1 and 0 for a boolean in it': 'packages/cli/test/nsqd/config-file.test.ts',
  'whole numbers among percentiles in it': 'packages/cli/test/nsqd/config-file.test.ts',
  '`/debug/setblockrate`, `/debug/freememory`': 'packages/transport-http/test/config.test.ts',
  '`/config` of flags that tune parts that Spillway does not have': 'there is nothing to see',
  "`/config` of flags of Spillway's own, or that came after 1.3.0": 'packages/cli/test/nsqd/settings.test.ts',
  '`/config/broadcast_address` with an empty `--broadcast-address`': 'packages/cli/test/nsqd/settings.test.ts',
  '`/config` under `spillway start`': 'packages/cli/test/nsqd/settings.test.ts',
  '`--auth-http-address=` with nothing behind it': 'packages/cli/test/nsqd/flags.test.ts',
  'timeouts of 0 for requests to auth servers and nsqlookupd': 'packages/cli/test/nsqd/flags.test.ts',
  '`--msg-timeout`, the window of the percentiles, counts and sizes of 0 or below, where that makes no sense':
    'packages/cli/test/nsqd/process.test.ts',
  'a statsd address without a port from 1 to 65535': 'packages/cli/test/nsqd/flags.test.ts',
  'an nsqlookupd address without a port from 1 to 65535': 'packages/cli/test/nsqd/flags.test.ts',
  'names of ports (`localhost:statsd`)': 'packages/cli/test/nsqd/flags.test.ts',
  'a push to statsd that takes longer than its interval': 'packages/reporter-statsd/test/statsd-reporter.test.ts',
  "statsd's host": 'packages/reporter-statsd/test/statsd-reporter.test.ts',
  'statsd intervals up to a second': 'packages/reporter-statsd/test/statsd-reporter.test.ts',
  'statsd names of the quantiles 0.995 and 1': 'packages/reporter-statsd/test/statsd-reporter.test.ts',
  'statsd at the end': 'packages/reporter-statsd/test/statsd-reporter.test.ts',
  'latency quantiles': 'takes messages that have left memory',
  'log lines for each HTTP request and each client': 'not sent to clients',
  'log lines for clients that are refused': 'packages/protocol/test/refusals.test.ts',
  '`--tls-client-auth-policy` with a word that it does not know': 'packages/cli/test/nsqd/process.test.ts',
  'an address without a port and without a slash, such as `127.0.0.1`': 'packages/core/test/config/load-config.test.ts',
  '`nsqd help`': 'packages/cli/test/nsqd/process.test.ts',
  SIGUSR1: 'packages/cli/test/nsqd/process.test.ts',
  'ids of messages that are taken over': 'packages/import-nsqd/test/import.test.ts',
  'messages in several channels of a topic': 'packages/import-nsqd/test/import.test.ts',
}
