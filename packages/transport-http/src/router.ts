import { posix } from 'node:path'
import type { Access } from './authorization.js'
import type { Exchange } from './exchange.js'
import { CLOSE, type HeaderList, plainTextHeaders, redirectHeaders } from './headers.js'
import { HttpError } from './http-error.js'

const BAD_REQUEST = '400 Bad Request'
const HTML_NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** Answers a request, at once or later. What it throws is answered as well. */
export type Handler = (exchange: Exchange) => void | Promise<void>

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Exact; or with `/*` at the end: what stands there, one word and not none, is {@link Exchange.pathRest}. */
  readonly path: string
  /** Who may ask this, where clients must authenticate. */
  readonly access: Access
  readonly handle: Handler
}

/** Finds who answers a request, and answers those that nobody does as nsqd's router does. */
export class Router {
  /** By path, then by method. */
  readonly #routes = new Map<string, Map<string, Route>>()
  /** By the path before `*`, then by method. */
  readonly #below = new Map<string, Map<string, Route>>()
  /** Paths by their tidy form. */
  readonly #tidyPaths = new Map<string, string>()

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const { method, path } = route
      const isBelow = path.endsWith('*')
      const [routes, key] = isBelow ? [this.#below, path.slice(0, -1)] : [this.#routes, path]
      const methods = routes.get(key) ?? new Map<string, Route>()
      methods.set(method, route)
      routes.set(key, methods)
      if (!isBelow) this.#tidyPaths.set(tidy(path), path)
    }
  }

  route(exchange: Exchange): void {
    try {
      const methods = this.#routes.get(exchange.path)
      const route = methods?.get(exchange.method)
      if (route === undefined) this.#routeOther(exchange)
      else run(route, exchange)
    } catch (error) {
      exchange.fail(error)
    }
  }

  /** Everything but a known method on a path that is spelt as it should be. */
  #routeOther(exchange: Exchange): void {
    const { method } = exchange
    if (exchange.path === '*' && method === 'OPTIONS') {
      exchange.send(200, ['Content-Length', '0'], '')
      return
    }
    const path = decodePath(exchange.path)
    if (path === null) {
      exchange.send(400, [...plainTextHeaders(BAD_REQUEST.length), ...CLOSE], BAD_REQUEST)
      return
    }
    const methods = this.#routes.get(path) ?? this.#routesBelow(exchange, path)
    const route = methods?.get(method)
    const meant = methods === undefined ? this.#pathMeant(path, method) : null
    if (route !== undefined) run(route, exchange)
    else if (methods !== undefined) refuseMethod(exchange, [...methods.keys()])
    else if (meant !== null) redirect(exchange, meant)
    else throw new HttpError(404, 'NOT_FOUND')
  }

  #routesBelow(exchange: Exchange, path: string): Map<string, Route> | undefined {
    const [start, rest] = splitLast(path)
    exchange.pathRest = rest
    return rest === '' ? undefined : this.#below.get(start)
  }

  /** The path with this method that one is nearly; letter case counts only in what a route takes as it is. */
  #pathMeant(path: string, method: string): string | null {
    const exact = this.#tidyPaths.get(tidy(path))
    if (exact !== undefined) return this.#routes.get(exact)?.has(method) ? exact : null
    // nsqd takes the second slash for one too many, though the path without it is none.
    if (path.endsWith('//') && this.#below.get(path.slice(0, -1))?.has(method)) return path.slice(0, -1)
    const [start, rest] = splitLast(posix.normalize(`/${path}`).replace(/\/$/, ''))
    const known = start.toLowerCase()
    return this.#below.get(known)?.has(method) ? known + encodeURI(rest) : null
  }
}

/** All up to the last slash, and what is behind it. */
function splitLast(path: string): [start: string, rest: string] {
  const end = path.lastIndexOf('/') + 1
  return [path.slice(0, end), path.slice(end)]
}

/** Answers a request whose route is known, once it is known that the client may ask it. */
function run({ access, handle }: Route, exchange: Exchange): void {
  const { authorization } = exchange.node
  const permitted = authorization === null ? undefined : authorization.permit(exchange, access)
  if (permitted === undefined) handle(exchange)?.catch((error: unknown) => exchange.fail(error))
  else permitted.then(() => handle(exchange)).catch((error: unknown) => exchange.fail(error))
}

function refuseMethod(exchange: Exchange, methods: readonly string[]): void {
  const allow: HeaderList = ['Allow', [...methods, 'OPTIONS'].sort().join(', ')]
  if (exchange.method === 'OPTIONS') exchange.send(200, [...allow, 'Content-Length', '0'], '')
  else exchange.sendError(405, 'METHOD_NOT_ALLOWED', allow)
}

function redirect(exchange: Exchange, path: string): void {
  const location = exchange.rawQuery === '' ? path : `${path}?${exchange.rawQuery}`
  if (exchange.method !== 'GET') {
    exchange.send(308, ['Location', location, 'Content-Length', '0'], '')
    return
  }
  const page = `<a href="${escapeHtml(location)}">Moved Permanently</a>.\n\n`
  exchange.send(301, redirectHeaders(location, Buffer.byteLength(page)), page)
}

/** Two paths with the same tidy form are meant to be one: letter case, doubled and trailing slashes, `.` and `..` do not count. */
function tidy(path: string): string {
  return posix.normalize(`/${path}/`).toLowerCase()
}

/** The path without percent escapes, null when they are none; of a request to a proxy (`GET http://host/path`), only the path. */
function decodePath(rawPath: string): string | null {
  const path = rawPath.startsWith('/') ? rawPath : rawPath.replace(/^https?:\/\/[^/]*/i, '')
  try {
    return decodeURIComponent(path)
  } catch {
    return null
  }
}

/** As Go does it. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => HTML_NAMES[char] ?? `&#${char.charCodeAt(0)};`)
}
