import type { HttpRequest, HttpSender } from './http-sender.js'
import { queryEscape } from './query-escape.js'

/** Sends a message to one address. @throws Error when it was not accepted */
export type Deliver = (body: Buffer) => Promise<void>

const NO_BODY = Buffer.alloc(0)

/** Posts messages as they are; any status 2xx accepts one. @throws Error when `address` is no URL */
export function posting(address: string, headers: HttpRequest['headers'], sender: Pick<HttpSender, 'send'>): Deliver {
  const url = urlOf(address)
  return async (body) => {
    const { status, location } = await sender.send({ method: 'POST', url, headers, body })
    if (status < 200 || status >= 300) throw refusal(status, location)
  }
}

/** Puts messages into a URL in place of `%s`; only status 200 accepts one. @throws Error when `address` is no URL with one `%s` */
export function getting(address: string, headers: HttpRequest['headers'], sender: Pick<HttpSender, 'send'>): Deliver {
  const [before, after, ...more] = address.split('%s')
  if (after === undefined || more.length > 0) throw new Error('invalid GET address - must be a printf string')
  urlOf(`${before}${after}`)
  return async (body) => {
    const url = new URL(`${before}${queryEscape(body)}${after}`)
    const { status, location } = await sender.send({ method: 'GET', url, headers, body: NO_BODY })
    if (status !== 200) throw refusal(status, location)
  }
}

function urlOf(address: string): URL {
  const url = URL.canParse(address) ? new URL(address) : null
  if (url !== null && /^https?:$/.test(url.protocol)) return url
  throw new Error(`${JSON.stringify(address)} is no http:// or https:// address`)
}

/** A redirect is none that is followed: a POST would become a GET without the message, and be accepted. */
function refusal(status: number, location: string): Error {
  return new Error(
    `got status code ${status}${location === '' ? '' : `, a redirect to ${location}, which is not followed`}`,
  )
}
