import { AUTHENTICATOR, definePlugin } from '@spillway/core'
import { OPTIONS_SCHEMA, type StaticAuthOptions } from './options.js'
import { StaticAuthenticator } from './static-authenticator.js'

export type { StaticAuthOptions, UserOptions } from './options.js'
export { hashSecret } from './secret-hash.js'
export { StaticAuthenticator } from './static-authenticator.js'

/** Users and permissions in the configuration. */
export default definePlugin({
  name: 'auth-static',
  provides: AUTHENTICATOR,
  optionsSchema: OPTIONS_SCHEMA,
  create: (options: StaticAuthOptions) => new StaticAuthenticator(options),
})
