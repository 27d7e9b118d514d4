export * from '../config/index.js'
export * from './spillway-node.js'
export * from './system-clock.js'
