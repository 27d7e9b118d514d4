export * from './broker-options.js'
export {
  type DiscoverySuite,
  type DiscoveryTestParts,
  SAMPLE_NODE_ADDRESS,
  testDiscovery,
} from './discovery-suite.js'
export * from './fake-clock.js'
export * from './sample-records.js'
export * from './seeded-random.js'
export { SimulatedDisk } from './simulated-disk.js'
export * from './simulated-storage.js'
export { randomFaults, type SimulatedFault, type SimulatedOperation, type SimulationOptions } from './simulation.js'
export { type StorageSuite, testStorage } from './storage-suite.js'
export { writeUntilKilled } from './storage-suite-crash.js'
export * from './test-engine.js'
export * from './test-logger.js'
