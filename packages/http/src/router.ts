import { posix } from 'node:path'
import type { HttpExchange } from './exchange.js'
import { type HeaderList, redirectHeaders } from './headers.js'
import { HttpError } from './http-error.js'

const HTML_NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/** Answers a request, at once or later. What it throws is answered as well. */
export type Handler<Exchange> = (exchange: Exchange) => void | Promise<void>

export interface Route<Exchange> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Exact; or with `/*` at the end: what stands there, one word and not none, is {@link HttpExchange.pathRest}. */
  readonly path: string
  readonly handle: Handler<Exchange>
}

/** How a route that was found answers. */
type Run<Exchange, R> = (route: R, exchange: Exchange) => void | Promise<void>

/** Finds who answers a request, and answers those that nobody does as NSQ's routers do. */
export class Router<Exchange extends HttpExchange, R extends Route<Exchange> = Route<Exchange>> {
  /** By path, then by method. */
  readonly #routes = new Map<string, Map<string, R>>()
  /** By the path before `*`, then by method. */
  readonly #below = new Map<string, Map<string, R>>()
  /** Paths by their tidy form. */
  readonly #tidyPaths = new Map<string, string>()
  readonly #run: Run<Exchange, R>

  /** @param run - for what stands between a route and its handler: who may ask, say */
  constructor(routes: readonly R[], run: Run<Exchange, R> = ({ handle }, exchange) => handle(exchange)) {
    this.#run = run
    for (const route of routes) {
      const { method, path } = route
      const isBelow = path.endsWith('*')
      const [paths, key] = isBelow ? [this.#below, path.slice(0, -1)] : [this.#routes, path]
      const methods = paths.get(key) ?? new Map<string, R>()
      methods.set(method, route)
      paths.set(key, methods)
      if (!isBelow) this.#tidyPaths.set(tidy(path), path)
    }
  }

  route(exchange: Exchange): void {
    try {
      const methods = this.#routes.get(exchange.path)
      const route = methods?.get(exchange.method)
      if (route === undefined) this.#routeOther(exchange)
      else this.#answer(route, exchange)
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
      exchange.sendBadRequest('400 Bad Request')
      return
    }
    const methods = this.#routes.get(path) ?? this.#routesBelow(exchange, path)
    const route = methods?.get(method)
    const meant = methods === undefined ? this.#pathMeant(path, method) : null
    if (route !== undefined) this.#answer(route, exchange)
    else if (methods !== undefined) refuseMethod(exchange, [...methods.keys()])
    else if (meant !== null) redirect(exchange, meant)
    else throw new HttpError(404, 'NOT_FOUND')
  }

  #answer(route: R, exchange: Exchange): void {
    this.#run(route, exchange)?.catch((error: unknown) => exchange.fail(error))
  }

  #routesBelow(exchange: Exchange, path: string): Map<string, R> | undefined {
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

function refuseMethod(exchange: HttpExchange, methods: readonly string[]): void {
  const allow: HeaderList = ['Allow', [...methods, 'OPTIONS'].sort().join(', ')]
  if (exchange.method === 'OPTIONS') exchange.send(200, [...allow, 'Content-Length', '0'], '')
  else exchange.sendError(405, 'METHOD_NOT_ALLOWED', allow)
}

function redirect(exchange: HttpExchange, path: string): void {
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
