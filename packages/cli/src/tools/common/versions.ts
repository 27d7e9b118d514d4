import { VERSION } from '@spillway/client'

/** NSQ's version that the tools say they are; a test holds it equal to the broker's, whose packages are not loaded for it. */
export const NSQ_VERSION = '1.3.0'

/** What `--version` prints. */
export const versionLine = (tool: string): string => `${tool} v${NSQ_VERSION}\n`

/** How a tool is shown in a node's statistics. */
export const userAgentOf = (tool: string): string => `${tool}/${NSQ_VERSION} spillway-client/${VERSION}`
