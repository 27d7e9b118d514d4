import { BrokerError, type Setting } from '@spillway/core'
import { HttpError, toGoJson } from '@spillway/http'
import { SettingBody } from '../bodies/setting-body.js'
import type { Exchange } from '../exchange.js'
import type { Route } from './route.js'

export const configRoutes: readonly Route[] = [
  { method: 'GET', path: '/config/*', access: 'administer', handle: get },
  { method: 'PUT', path: '/config/*', access: 'administer', handle: put },
]

function get(exchange: Exchange): void {
  show(exchange, settingOf(exchange))
}

/** The body is looked at before the name: that is nsqd's order. */
function put(exchange: Exchange): void {
  exchange.readBody(
    new SettingBody(exchange, (text) => {
      const setting = settingOf(exchange)
      if (setting.set === null) throw new HttpError(400, 'INVALID_OPTION')
      try {
        setting.set(text)
      } catch (error) {
        if (error instanceof BrokerError) throw new HttpError(400, 'INVALID_VALUE')
        throw error
      }
      show(exchange, setting)
    }),
  )
}

function settingOf(exchange: Exchange): Setting {
  const setting = exchange.broker.settings.get(exchange.pathRest)
  if (setting === undefined) throw new HttpError(400, 'INVALID_OPTION')
  return setting
}

function show(exchange: Exchange, setting: Setting): void {
  const value = setting.get()
  if (typeof value !== 'string') exchange.sendJson(200, toGoJson(value))
  else if (value === '') exchange.sendEmpty()
  else exchange.sendText(value)
}
