import { clientOptFlag } from '../common/client-opts.js'
import { CONSUMER_FLAGS } from '../common/consumer-flags.js'
import { text, texts } from '../common/flag-kinds.js'
import { DESTINATION_FLAGS } from '../destinations/flags.js'

export const NSQ_TO_NSQ_FLAGS = {
  topic: texts('topic that is read'),
  channel: text('channel that is read', 'nsq_to_nsq'),
  ...CONSUMER_FLAGS,
  'destination-nsqd-tcp-address': texts('address (host:port) of an nsqd that messages go to'),
  'destination-topic': text('topic that all messages go to', 'the one that they come from'),
  ...DESTINATION_FLAGS,
  'require-json-field': text('passes on only JSON objects that have this field'),
  'require-json-value': text('passes on only those whose required field has this value'),
  'whitelist-json-field': texts('passes on, of JSON objects, this field and others that are named so'),
  'producer-opt': clientOptFlag('producer'),
} as const
