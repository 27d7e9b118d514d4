/** What `spillway` needs for `--nodes`, loaded only then. */
export { lookAtDataPath } from './data-paths.js'
export { planNodes } from './plan.js'
export { startNodes } from './start-nodes.js'
