import { FatalError } from '../common/fatal-error.js'
import { getJson, type HttpTimeouts, httpUrl } from '../common/get-json.js'

/**
 * The topics that any of several nsqlookupd knows.
 * @param failed - called for each that could not be asked; the others' answers count
 * @throws Error when none of them has answered
 */
export async function listTopics(
  addresses: readonly string[],
  timeouts: HttpTimeouts,
  failed: (error: Error) => void,
): Promise<readonly string[]> {
  const answers = await Promise.allSettled(
    addresses.map(async (address) => topicsOf(await getJson(httpUrl(address, '/topics'), timeouts))),
  )
  const known = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  const errors = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []))
  if (known.length === 0) throw new FatalError(errors.map(({ message }) => message).join('; '))
  for (const error of errors) failed(error)
  return [...new Set(known.flat())]
}

/** `{"topics": […]}`, and as it was before NSQ 1.0: `{"status_code": 200, "data": {"topics": […]}}`. */
function topicsOf(answer: unknown): readonly string[] {
  const { data, topics } = (answer ?? {}) as { data?: { topics?: unknown }; topics?: unknown }
  const list = topics ?? data?.topics ?? []
  if (!Array.isArray(list)) throw new Error('an answer without an array of topics')
  return list.map(String)
}
