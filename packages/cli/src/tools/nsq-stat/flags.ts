import { VERSION_FLAG } from '../common/consumer-flags.js'
import { duration, integer, text, texts } from '../common/flag-kinds.js'

export const NSQ_STAT_FLAGS = {
  ...VERSION_FLAG,
  topic: text('topic'),
  channel: text('channel'),
  'nsqd-http-address': texts('address (host:port) of the HTTP of an nsqd'),
  'lookupd-http-address': texts('address (host:port) of an nsqlookupd, which says where the topic is'),
  interval: duration('time between two lines', '2s'),
  count: integer('lines that are printed; without it, there is no end'),
  'http-client-connect-timeout': duration('for a connection', '2s'),
  'http-client-request-timeout': duration('for an answer', '5s'),
} as const
