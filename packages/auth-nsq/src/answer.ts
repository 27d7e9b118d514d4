import { RE2JS } from 're2js'

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

/**
 * Reads an answer as nsqd does: names as Go's RE2 has them, found anywhere in a topic or a channel; a permission that nobody
 * knows spoils the whole.
 * @throws Error with what is wrong
 */
export function parseAnswer(text: string): Answer {
  const answer = object(JSON.parse(text), 'the answer')
  const ttlS = answer.ttl
  if (typeof ttlS !== 'number' || !Number.isInteger(ttlS) || ttlS <= 0)
    throw new Error(`ttl is ${JSON.stringify(ttlS)}`)
  return {
    ttlS,
    identity: string(answer.identity, 'identity'),
    identityUrl: string(answer.identity_url, 'identity_url'),
    authorizations: list(answer.authorizations, 'authorizations').map(parseAuthorization),
  }
}

function parseAuthorization(value: unknown): Authorization {
  const { topic, channels, permissions } = object(value, 'an authorization')
  const permitted = list(permissions, 'permissions').map((permission) => string(permission, 'a permission'))
  const unknown = permitted.find((permission) => !PERMISSIONS.includes(permission))
  if (unknown !== undefined) throw new Error(`unknown permission ${JSON.stringify(unknown)}`)
  return {
    topic: RE2JS.compile(string(topic, 'topic')),
    channels: list(channels, 'channels').map((channel) => RE2JS.compile(string(channel, 'a channel'))),
    mayPublish: permitted.includes('publish'),
    mayConsume: permitted.includes('subscribe'),
    mayAdminister: permitted.includes('admin'),
  }
}

function object(value: unknown, name: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new Error(`${name} is no object`)
}

/** What is missing or null is empty, as in Go. */
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
