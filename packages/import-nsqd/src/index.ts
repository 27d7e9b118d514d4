export type { QueueDamage } from './disk-queue.js'
export {
  type ImportedTopic,
  type ImportOptions,
  type ImportReport,
  importDataPath,
  isImported,
  isNsqdDataPath,
  setAside,
} from './import.js'
