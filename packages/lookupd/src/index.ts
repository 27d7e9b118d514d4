export { Lookupd, type LookupdParts } from './lookupd.js'
export { defaultOptions, type LookupdOptions } from './options.js'
