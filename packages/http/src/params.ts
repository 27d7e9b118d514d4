import querystring from 'node:querystring'
import { HttpError } from './http-error.js'

/** The parameters of a query; the first of several with one name counts. */
export type Params = ReadonlyMap<string, string>

const ENCODED = /[%+]/
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/

/** @throws HttpError 400 `INVALID_REQUEST` for a `;` or a percent sign that starts no escape. */
export function parseParams(rawQuery: string): Params {
  const params = new Map<string, string>()
  if (rawQuery === '') return params
  if (rawQuery.includes(';') || BAD_ESCAPE.test(rawQuery)) throw new HttpError(400, 'INVALID_REQUEST')
  for (const pair of rawQuery.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals === -1 ? pair : pair.slice(0, equals))
    if (!params.has(name)) params.set(name, equals === -1 ? '' : decode(pair.slice(equals + 1)))
  }
  return params
}

/** Anything but `true`, `1`, `false` and `0` leaves it at `fallback`. */
export function booleanParam(params: Params, name: string, fallback: boolean): boolean {
  const value = params.get(name)
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  return fallback
}

function decode(text: string): string {
  if (!ENCODED.test(text)) return text
  // Unlike decodeURIComponent it takes bytes that are not UTF-8 as well, as nsqd does.
  return querystring.unescape(text.replaceAll('+', ' '))
}
