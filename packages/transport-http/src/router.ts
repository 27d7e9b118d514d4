import { posix } from 'node:path'
import type { Access } from './authorization.js'
import type { Exchange } from './exchange.js'
import { type HeaderList, redirectHeaders } from './headers.js'
import { HttpError } from './http-error.js'

/** Answers a request, at once or later. What it throws is answered as well. */
export type Handler = (exchange: Exchange) => void | Promise<void>

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Exact, and without a slash at the end; or with `/*` there: the rest of the path is {@link Exchange.pathRest}. */
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
  /** Paths by their tidy form; of those that end in `*`, what stands before it. */
  readonly #tidyPaths = new Map<string, string>()
  readonly #tidyStarts = new Map<string, string>()

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const isBelow = route.path.endsWith('*')
      const path = isBelow ? route.path.slice(0, -1) : route.path
      const byPath = isBelow ? this.#below : this.#routes
      const methods = byPath.get(path) ?? new Map<string, Route>()
      methods.set(route.method, route)
      byPath.set(path, methods)
      if (isBelow) this.#tidyStarts.set(tidy(path), path)
      else this.#tidyPaths.set(tidy(path), path)
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
    const methods = this.#routes.get(path) ?? this.#routesBelow(exchange, path)
    const route = methods?.get(method)
    if (route !== undefined) {
      run(route, exchange)
    } else if (methods !== undefined) {
      refuseMethod(exchange, [...methods.keys()])
    } else {
      const meant = this.#pathMeant(path, method)
      if (meant === null) throw new HttpError(404, 'NOT_FOUND')
      redirect(exchange, meant)
    }
  }

  /** The path with this method that is spelt a little differently. */
  #pathMeant(path: string, method: string): string | null {
    const exact = this.#tidyPaths.get(tidy(path))
    if (exact !== undefined) return this.#routes.get(exact)?.has(method) ? exact : null
    const { dir, base } = posix.parse(posix.normalize(`/${path}`))
    const start = this.#tidyStarts.get(tidy(dir))
    if (start === undefined || base === '' || !this.#below.get(start)?.has(method)) return null
    // What is not one of ours may hold anything, and goes into a header.
    return `${start}${encodeURIComponent(base)}`
  }

  #routesBelow(exchange: Exchange, path: string): Map<string, Route> | undefined {
    const start = path.slice(0, path.lastIndexOf('/') + 1)
    exchange.pathRest = path.slice(start.length)
    return this.#below.get(start)
  }
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

/** The path without percent escapes; of a request to a proxy (`GET http://host/path`), only the path. */
function decodePath(rawPath: string): string {
  const path = rawPath.startsWith('/') ? rawPath : rawPath.replace(/^https?:\/\/[^/]*/i, '')
  try {
    return decodeURIComponent(path)
  } catch {
    throw new HttpError(400, 'INVALID_REQUEST')
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
}
