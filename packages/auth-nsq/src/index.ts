import { AUTHENTICATOR, definePlugin } from '@spillway/core'
import { NsqAuthenticator } from './nsq-authenticator.js'
import { type NsqAuthOptions, OPTIONS_SCHEMA } from './options.js'

export { NsqAuthenticator } from './nsq-authenticator.js'
export type { NsqAuthOptions } from './options.js'

/** Asks NSQ's HTTP auth servers. */
export default definePlugin({
  name: 'auth-nsq',
  provides: AUTHENTICATOR,
  optionsSchema: OPTIONS_SCHEMA,
  create(options: NsqAuthOptions, context) {
    const authenticator = new NsqAuthenticator(options, context)
    context.onReload(() => authenticator.reload())
    return authenticator
  },
})
