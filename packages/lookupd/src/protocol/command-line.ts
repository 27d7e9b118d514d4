import { isValidName } from '@spillway/core'
import { FatalError } from './fatal-error.js'

/** A command and its parameters: white space at both ends does not count, and each space in between separates two of them. */
export function parseCommandLine(line: string): [name: string, ...params: string[]] {
  let start = 0
  let end = line.length
  while (start < end && isSpace(line.charCodeAt(start))) start++
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--
  return line.slice(start, end).split(' ') as [string, ...string[]]
}

export interface TopicAndChannel {
  readonly topic: string
  readonly channel: string | null
}

/** What REGISTER and UNREGISTER are about. @throws FatalError */
export function parseTopicAndChannel(command: string, params: readonly string[]): TopicAndChannel {
  const [topic, channel = ''] = params
  if (topic === undefined) throw new FatalError('E_INVALID', `${command} insufficient number of params`)
  if (!isValidName(topic)) throw new FatalError('E_BAD_TOPIC', `${command} topic name '${topic}' is not valid`)
  if (channel === '') return { topic, channel: null }
  if (!isValidName(channel)) throw new FatalError('E_BAD_CHANNEL', `${command} channel name '${channel}' is not valid`)
  return { topic, channel }
}

/** Tab, line feed, vertical tab, form feed, carriage return, space. */
function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}
