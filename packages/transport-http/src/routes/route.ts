import type * as http from '@spillway/http'
import type { Access } from '../authorization.js'
import type { Exchange } from '../exchange.js'

export type Handler = http.Handler<Exchange>

export interface Route extends http.Route<Exchange> {
  /** Who may ask this, where clients must authenticate. */
  readonly access: Access
}

/** Answers a request whose route is known, once it is known that the client may ask it. */
export function runPermitted({ access, handle }: Route, exchange: Exchange): void | Promise<void> {
  const { authorization } = exchange.node
  const permitted = authorization === null ? undefined : authorization.permit(exchange, access)
  return permitted === undefined ? handle(exchange) : permitted.then(() => handle(exchange))
}
