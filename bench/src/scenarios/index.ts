import type { Scenario } from '../scenario.js'
import { backlog } from './backlog.js'
import { consume } from './consume.js'
import { consumeDeflate, consumeSnappy, consumeTls } from './consume-changed.js'
import { deferred } from './deferred.js'
import { fanOut, flow } from './fan-out.js'
import { httpPub } from './http-pub.js'
import { latency, latency25Ms, latencyReady1 } from './latency.js'
import { memory } from './memory.js'
import { mpub } from './mpub.js'
import { pub2, pub32 } from './pub.js'
import { restartTopics } from './restart-topics.js'
import { stalled } from './stalled.js'
import { start } from './start.js'
import { requeued, stuck } from './stuck.js'
import { topics } from './topics.js'

/** Everything that can be measured, in the order in which it is. */
export const SCENARIOS: readonly Scenario[] = [
  consume,
  mpub,
  flow,
  fanOut,
  pub2,
  pub32,
  httpPub,
  consumeTls,
  consumeDeflate,
  consumeSnappy,
  latency,
  latencyReady1,
  latency25Ms,
  memory,
  start,
  topics,
  stalled,
  backlog,
  restartTopics,
  deferred,
  stuck,
  requeued,
]
