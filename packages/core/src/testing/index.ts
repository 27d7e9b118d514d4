export * from './fake-clock.js'
export * from './seeded-random.js'
export * from './test-logger.js'
