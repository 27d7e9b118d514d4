import { CONSUMER_FLAGS } from '../common/consumer-flags.js'
import { boolean, duration, integer, text, texts } from '../common/flag-kinds.js'

/** Every flag of nsq_to_file 1.3. */
export const TO_FILE_FLAGS = {
  ...CONSUMER_FLAGS,
  topic: texts('topic to write'),
  'topic-pattern': text('regular expression: only topics with a match; without --topic, those that nsqlookupd knows'),
  'topic-refresh': duration('how often nsqlookupd is asked for topics', '1m'),
  channel: text('channel to consume from', 'nsq_to_file'),
  'output-dir': text('folder for finished files', '/tmp'),
  'work-dir': text('folder for files that are written to, on the same file system', 'output-dir'),
  'filename-format': text(
    "the files' names: <TOPIC>, <HOST>, <PID>, <DATETIME> and <REV>, a number that tells files of one name apart, are replaced",
    '<TOPIC>.<HOST><REV>.<DATETIME>.log',
  ),
  'datetime-format': text('what <DATETIME> is, as strftime takes it; local time', '%Y-%m-%d_%H'),
  'host-identifier': text(
    'what <HOST> is; <SHORT_HOST> and <HOSTNAME> are replaced',
    "the host's name up to its first dot",
  ),
  gzip: boolean('compress the files'),
  'gzip-level': integer('1, quick, to 9, small', '6'),
  'rotate-size': integer('begin another file after so many bytes; 0: never', '0'),
  'rotate-interval': duration('begin another file after that time; 0: never', '0'),
  'sync-interval': duration('bring what was written to the disk, and finish its messages, at least that often', '30s'),
  'skip-empty-files': boolean('open no file before there is a message for it'),
  'http-client-connect-timeout': duration('how long connecting to nsqlookupd may take', '2s'),
  'http-client-request-timeout': duration('how long an answer of nsqlookupd may take', '5s'),
  'log-level': text('debug, info, warn, error or fatal', 'info'),
  'log-prefix': text('what stands before each line of the log', '[nsq_to_file] '),
} as const
