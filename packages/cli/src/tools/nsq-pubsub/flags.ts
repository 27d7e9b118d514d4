import { parseSizeBytes } from '../../size.js'
import { clientOptFlag } from '../common/client-opts.js'
import { CONSUMER_FLAGS } from '../common/consumer-flags.js'
import { integer, text, texts } from '../common/flag-kinds.js'

export const NSQ_PUBSUB_FLAGS = {
  'http-address': text('address (host:port) that is listened at', '127.0.0.1:8080'),
  ...CONSUMER_FLAGS,
  'destination-nsqd-tcp-address': {
    ...texts('address (host:port) of an nsqd that is published to; several stand in for each other'),
    defaultText: 'those of --nsqd-tcp-address',
  },
  'max-subscribers': integer('readers of /sub at once; more are refused', '100'),
  'max-msg-size': {
    ...text('what one request to /pub or /mpub may hold', '1MiB'),
    valueName: 'size',
    parse: parseSizeBytes,
  },
  'producer-opt': clientOptFlag('producer'),
} as const
