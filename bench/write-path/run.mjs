// One candidate, one workload, one process: node run.mjs <candidate> <workload> <seconds>; the result goes to stdout as JSON.
import { CANDIDATES, loadPackage } from './candidates/index.mjs'
import { inFreshDirectory } from './directory.mjs'
import { drive } from './drive.mjs'
import { WORKLOADS } from './workload.mjs'

const [candidate, workload, seconds] = process.argv.slice(2)
const { open, options } = CANDIDATES[candidate]
const { module } = loadPackage(candidate)
const result = await inFreshDirectory(async (dir) => {
  const store = await open({ module, dir, workload, ...options })
  const measured = await drive(store, WORKLOADS[workload], Number(seconds))
  await store.close()
  return measured
})
process.stdout.write(JSON.stringify(result))
