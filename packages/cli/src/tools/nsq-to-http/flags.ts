import { CONSUMER_FLAGS } from '../common/consumer-flags.js'
import { duration, integer, number, text, texts } from '../common/flag-kinds.js'
import { DESTINATION_FLAGS } from '../destinations/flags.js'

export const NSQ_TO_HTTP_FLAGS = {
  topic: text('topic that is read'),
  channel: text('channel that is read', 'nsq_to_http'),
  ...CONSUMER_FLAGS,
  post: texts('address that messages are posted to'),
  get: texts('address that is asked for, with the message in place of %s'),
  ...DESTINATION_FLAGS,
  n: integer('requests at once', '100'),
  sample: number('part of the messages that is sent, from 0 to 1; the others are finished', '1'),
  'content-type': text('content type of what is posted', 'application/octet-stream'),
  header: texts("header of each request, as 'Name: value'"),
  'http-client-connect-timeout': duration('for a connection', '2s'),
  'http-client-request-timeout': duration('for a whole answer', '20s'),
} as const
