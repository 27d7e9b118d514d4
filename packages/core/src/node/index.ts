export * from '../config/index.js'
export { halfOfMemoryBytes } from './memory-size.js'
export * from './spillway-node.js'
export * from './system-clock.js'
