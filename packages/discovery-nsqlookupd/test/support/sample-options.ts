import type { NsqlookupdOptions } from '../../src/index.js'

/** As the schema fills them in. */
export const SAMPLE_OPTIONS: NsqlookupdOptions = {
  tcpAddresses: [],
  connectTimeoutMs: 1_000,
  answerTimeoutMs: 1_000,
  pingIntervalMs: 15_000,
  reconnectDelayMsMax: 15_000,
  httpConnectTimeoutMs: 2_000,
  httpRequestTimeoutMs: 5_000,
}
