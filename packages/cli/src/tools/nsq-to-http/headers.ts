import { validateHeaderName, validateHeaderValue } from 'node:http'

/** Of `Name: value` texts; the last one of a name counts, whatever case it is written in. @throws Error */
export function parseHeaders(texts: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const text of texts) {
    const colon = text.indexOf(':')
    const name = text.slice(0, Math.max(0, colon)).trim().toLowerCase()
    const value = text.slice(colon + 1).trim()
    if (name === '' || value === '') throw new Error(`--header ${JSON.stringify(text)}: the format is 'Name: value'`)
    try {
      validateHeaderName(name)
      validateHeaderValue(name, value)
    } catch (error) {
      throw new Error(`--header ${JSON.stringify(text)}: ${(error as Error).message}`)
    }
    headers[name] = value
  }
  return headers
}
