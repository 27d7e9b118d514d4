export { DEFAULT_CONFIG } from './default-config.js'
