import type { Route } from '../router.js'
import { channelRoutes } from './channels.js'
import { infoRoutes } from './info.js'
import { publishRoutes } from './publish.js'
import { statsRoutes } from './stats.js'
import { topicRoutes } from './topics.js'

/** Everything that the HTTP API answers. A new group of routes is a file here and a line below. */
export const ROUTES: readonly Route[] = [
  ...infoRoutes,
  ...statsRoutes,
  ...publishRoutes,
  ...topicRoutes,
  ...channelRoutes,
]
