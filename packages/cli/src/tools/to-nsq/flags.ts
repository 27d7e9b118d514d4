import { parseSizeBytes } from '../../size.js'
import { clientOptFlag } from '../common/client-opts.js'
import { VERSION_FLAG } from '../common/consumer-flags.js'
import { integer, text, texts } from '../common/flag-kinds.js'

export const TO_NSQ_FLAGS = {
  ...VERSION_FLAG,
  topic: text('topic that the records go to'),
  'nsqd-tcp-address': texts('address (host:port) of an nsqd; each gets every record'),
  delimiter: text('byte that ends a record', 'a line feed'),
  rate: integer('records published in a second at most; 0: as fast as it goes', '0'),
  'max-record-size': {
    ...text('what is gathered of one record; a longer one ends the program', '64MiB'),
    valueName: 'size',
    parse: parseSizeBytes,
  },
  'producer-opt': clientOptFlag('producer'),
} as const
