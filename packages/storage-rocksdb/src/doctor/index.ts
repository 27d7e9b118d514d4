// An entry of its own: a broker that starts need not load it.
export { examineDataPath, repairDataPath } from './doctor.js'
export type * from './report.js'
