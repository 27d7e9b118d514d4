import { Certificate } from './certificate.js'
import type { Scale, Scenario, ScenarioResult, StartOptions } from './scenario.js'
import { type Mode, nsqdFlags, spillwayFlags } from './storage-flags.js'
import { type RunningSubject, type Subject, startSubject } from './subject.js'

/** What the parent asks a client process to do. */
export interface ScenarioOrder {
  readonly scenario: string
  readonly subject: Subject
  readonly mode: Mode
  readonly scale: Scale
}

/** Runs one scenario against one subject; every broker that it started is stopped again. */
export async function runOrder(
  scenario: Scenario,
  order: ScenarioOrder,
  progress: (text: string) => void,
): Promise<ScenarioResult> {
  const started: RunningSubject[] = []
  const certificate = new Certificate()
  const start = async ({ queueSize, dataPath, tls = false }: StartOptions = {}) => {
    const mode = scenario.durable ? 'disk' : order.mode
    const flags = order.subject.isSpillway
      ? spillwayFlags(mode, order.scale.memoryLimitBytes)
      : nsqdFlags(mode, queueSize)
    const subject = await startSubject(
      order.subject,
      tls ? [...flags, ...(await certificate.flags())] : flags,
      dataPath,
    )
    started.push(subject)
    return subject
  }
  const [outcome] = await Promise.allSettled([scenario.run({ scale: order.scale, mode: order.mode, start, progress })])
  const stopped = await Promise.allSettled(started.map((subject) => subject.stop()))
  await certificate.remove()
  // That a broker has died says more than what the client then saw.
  for (const one of stopped) if (one.status === 'rejected') throw one.reason
  if (outcome.status === 'rejected') throw outcome.reason
  const loops = started.flatMap(({ loop }) => loop ?? [])
  return loops.length === 0 ? outcome.value : { ...outcome.value, loops }
}
