import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ScenarioResult } from './scenario.js'
import type { ScenarioReport } from './scenario-main.js'
import type { ScenarioOrder } from './scenario-order.js'

const RUN_TIMEOUT_MS = 1_800_000
const scenarioMain = fileURLToPath(new URL('./scenario-main.js', import.meta.url))

export interface RunOptions {
  /** Processors for the client, as `taskset` writes them; all when empty. */
  readonly clientCpuList: string
  readonly progress: (text: string) => void
}

/** Runs one scenario against one subject in a process of its own. @throws Error saying what went wrong. */
export async function runInChild(order: ScenarioOrder, options: RunOptions): Promise<ScenarioResult> {
  const command = [process.execPath, scenarioMain]
  const [file, ...args] = options.clientCpuList === '' ? command : ['taskset', '-c', options.clientCpuList, ...command]
  const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const timer = setTimeout(() => child.kill('SIGTERM'), RUN_TIMEOUT_MS)
  try {
    return await resultOf(child, order, options.progress)
  } finally {
    clearTimeout(timer)
  }
}

function resultOf(
  child: ChildProcess,
  order: ScenarioOrder,
  progress: (text: string) => void,
): Promise<ScenarioResult> {
  return new Promise((resolve, reject) => {
    let result: ScenarioResult | null = null
    child.once('error', reject)
    child.on('message', (report: ScenarioReport) => {
      if (report.kind === 'progress') progress(report.text)
      else if (report.kind === 'failure') reject(new Error(report.reason))
      else result = report.result
    })
    child.once('exit', (code, signal) => {
      if (result === null) reject(new Error(`the client ended with ${signal ?? code}`))
      else resolve(result)
    })
    child.send(order)
  })
}
