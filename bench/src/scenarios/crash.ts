import type { Figure, ScenarioContext } from '../scenario.js'
import { type RunningSubject, waitForListener } from '../subject.js'

const RESTART_MS_MAX = 2000

/** Kills the broker as a crash would, and starts one on what it has left behind. */
export async function crashAndRestart(context: ScenarioContext, subject: RunningSubject): Promise<RunningSubject> {
  context.progress('kill -9, and starting again')
  await subject.kill()
  const restarted = await context.start({ dataPath: subject.dataPath })
  const listeningAtMs = performance.now()
  // Its HTTP server may follow, and is needed for what comes next.
  await waitForListener(restarted.httpPort)
  const httpAfterMs = restarted.startedInMs + performance.now() - listeningAtMs
  context.progress(
    `listens again after ${restarted.startedInMs.toFixed(0)} ms, HTTP after ${httpAfterMs.toFixed(0)} ms`,
  )
  return restarted
}

export function restartFigure(name: string, what: string, restarted: RunningSubject): Figure {
  return {
    key: `${name}.restart`,
    title: `${what}, kill -9 to listening again`,
    unit: 'ms',
    value: restarted.startedInMs,
    better: 'less',
    limit: RESTART_MS_MAX,
  }
}
