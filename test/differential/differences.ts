import { readFileSync } from 'node:fs'

/** What docs/compatibility.md calls it. */
export const TOPOLOGY_FIELDS = 'topology fields in `/info` and IDENTIFY'

const PAGE = new URL('../../../docs/compatibility.md', import.meta.url)

/**
 * Differences that can be taken back in a line of ours, so that everything else in it must be what nsqd says. The others
 * change what comes after them.
 */
export const TAKEN_BACK: Readonly<Record<string, (line: string) => string>> = {
  [TOPOLOGY_FIELDS]: (line) => line.replace(/,"topology_(?:zone|region)":"[^"]*"|,"global_msg_count":\d+/g, ''),
  'redirects of other methods than GET': (line) => line.replace(/ -> 308\n/, ' -> 307\n'),
}

/** The first cells of the tables of docs/compatibility.md: each names a difference. */
export function documentedDifferences(): string[] {
  const lines = readFileSync(PAGE, 'utf8').split('\n')
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
  'IDENTIFY numbers beyond 2^53': 'packages/protocol/test/identify.test.ts',
  'publishes when the memory budget is used up': 'packages/storage-memory/test/bounds.test.ts',
  SIGTERM: 'test/end-to-end/stopping.test.ts',
  'a publish that cannot be stored': 'test/end-to-end/refusing-storage.test.ts',
  'slow or endless requests': 'packages/transport-http/test/connections.test.ts',
  'a chunked binary `/mpub` above the limit': 'packages/transport-http/test/mpub.test.ts',
  '`pub_counts`': 'packages/transport-http/test/stats-json.test.ts',
  '`dropped_count` of a topic': 'packages/transport-http/test/stats-json.test.ts',
  '`heap_objects`, `next_gc_bytes` in `/stats`': 'masked here',
  'malformed HTTP (unknown method, length beside chunked, no Host)': 'packages/transport-http/test/fuzz.test.ts',
  '`built w/…`': 'masked here',
  '`--tls-cert` without `--tls-key`, or the other way round': 'packages/cli/test/nsqd/flags.test.ts',
  certificates: 'packages/transport-tcp/test/changed-streams.test.ts',
  SIGHUP: 'packages/cli/test/spillway/process.test.ts',
  'a deflate stream that the peer completes': 'takes two heartbeat intervals',
  "a permission `admin` in an auth server's answer": 'packages/auth-nsq/test/nsq-authenticator.test.ts',
  "an auth server's URL that has a query": 'packages/auth-nsq/src/ask.ts',
  'HTTP with authentication on': 'packages/transport-http/test/authorization.test.ts',
  'unknown keys of the TOML file': 'packages/cli/test/nsqd/config-file.test.ts',
  '1 and 0 for a boolean in it': 'packages/cli/test/nsqd/config-file.test.ts',
  'whole numbers among percentiles in it': 'packages/cli/test/nsqd/config-file.test.ts',
  '`/debug/setblockrate`, `/debug/freememory`': 'packages/transport-http/test/config.test.ts',
  '`/config` of flags that tune parts that Spillway does not have': 'there is nothing to see',
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
