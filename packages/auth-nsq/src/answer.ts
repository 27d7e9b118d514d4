import type { RE2JS } from 're2js'
import { AnswerPatterns, type Patterns } from './patterns.js'

/** What an entry of an answer allows. */
export interface Authorization {
  readonly topic: RE2JS
  readonly channels: readonly RE2JS[]
  readonly mayPublish: boolean
  readonly mayConsume: boolean
  readonly mayAdminister: boolean
}

/** What an auth server says of a secret. */
export interface Answer {
  readonly ttlS: number
  readonly identity: string
  readonly identityUrl: string
  readonly authorizations: readonly Authorization[]
}

/** `admin` is ours: nsqd takes an answer that has it for nonsense. */
const PERMISSIONS: readonly string[] = ['subscribe', 'publish', 'admin']
/** Who administers does so to the whole node, so the entry must be of everything: nothing less can be meant. */
const EVERYTHING = '.*'

/**
 * Reads an answer as nsqd does: keys in any letter case, names as Go's RE2 has them, found anywhere in a topic or a channel;
 * a permission that nobody knows spoils the whole.
 * @throws Error with what is wrong, and where; it quotes nothing of the answer, which may hold the secret
 */
export async function parseAnswer(text: string, patterns: Patterns): Promise<Answer> {
  const answer = object(parseJson(text), 'the answer')
  const ttlS = answer.ttl
  if (typeof ttlS !== 'number' || !Number.isSafeInteger(ttlS) || ttlS <= 0) {
    throw new Error('ttl is no whole number above 0')
  }
  const own = new AnswerPatterns(patterns)
  const authorizations: Authorization[] = []
  for (const [index, entry] of list(answer.authorizations, 'authorizations').entries()) {
    authorizations.push(await parseAuthorization(entry, `authorizations[${index}]`, own))
  }
  return {
    ttlS,
    identity: string(answer.identity, 'identity'),
    identityUrl: string(answer.identity_url, 'identity_url'),
    authorizations,
  }
}

/** The port of HTTPS in the answer of a server that wants it; `null` without one. */
export function httpsPortIn(text: string): number | null {
  try {
    const port = object(parseJson(text), 'the answer').https_port
    return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536 ? port : null
  } catch {
    return null
  }
}

async function parseAuthorization(value: unknown, place: string, patterns: AnswerPatterns): Promise<Authorization> {
  const { topic: rawTopic, channels: rawChannels, permissions } = object(value, place)
  const permitted = list(permissions, `${place}.permissions`).map((permission) => string(permission, 'a permission'))
  if (permitted.some((permission) => !PERMISSIONS.includes(permission))) {
    throw new Error(`${place}.permissions has another than ${PERMISSIONS.join(', ')}`)
  }
  const topic = string(rawTopic, `${place}.topic`)
  const names = list(rawChannels, `${place}.channels`).map((channel) => string(channel, `${place}.channels`))
  const mayAdminister = permitted.includes('admin')
  if (mayAdminister && (topic !== EVERYTHING || !names.includes(EVERYTHING))) {
    throw new Error(`${place} has admin, which is of the whole node: its topic and a channel must be "${EVERYTHING}"`)
  }
  const channels: RE2JS[] = []
  for (const name of names) channels.push(await patterns.get(name, `${place}.channels`))
  return {
    topic: await patterns.get(topic, `${place}.topic`),
    channels,
    mayPublish: permitted.includes('publish'),
    mayConsume: permitted.includes('subscribe'),
    mayAdminister,
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('it is no JSON') // the error's own text quotes what is there
  }
}

/** With its keys in lower case; the last of several counts, and null is none, as in Go. */
function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} is no object`)
  const folded: Record<string, unknown> = Object.create(null)
  for (const [key, member] of Object.entries(value)) if (member !== null) folded[key.toLowerCase()] = member
  return folded
}

/** What is missing is empty, as in Go. */
function list(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  throw new Error(`${name} is no list`)
}

function string(value: unknown, name: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  throw new Error(`${name} is no text`)
}
