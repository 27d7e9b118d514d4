import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { LineSplitter } from './log-lines.js'
import type { FromNode, NodeOrder, ToNode } from './messages.js'
import type { NodeEvents, NodeProcess } from './supervisor.js'

const PROGRAM = fileURLToPath(new URL('../../../../bin/spillway-node.js', import.meta.url))

/** As `bin/allocator.js` sets it; here it also works where that cannot start a process anew. */
const ALLOCATOR = { MALLOC_MMAP_THRESHOLD_: '262144' }

const NO_PROCESS: NodeProcess = { pid: undefined, stop: () => {}, reload: () => {}, kill: () => {} }

/** Starts one node as a process of its own. What it writes comes as lines to `onLine`. */
export function launchNode(
  name: string,
  order: NodeOrder,
  events: NodeEvents,
  onLine: (line: string) => void,
): NodeProcess {
  const { ended } = events
  let child: ChildProcess
  try {
    child = fork(PROGRAM, [name], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: { ...ALLOCATOR, ...process.env } })
  } catch (error) {
    // Memory, say, that the system does not give. It is an end like others, and comes later like others.
    setImmediate(() => ended({ code: null, how: (error as Error).message }))
    return NO_PROCESS
  }
  for (const stream of [child.stdout, child.stderr]) {
    const lines = new LineSplitter(onLine)
    stream?.setEncoding('utf8').on('data', (text: string) => lines.push(text))
    stream?.once('end', () => lines.end())
  }
  child.on('message', (message: FromNode) => {
    if (message.kind === 'listening') events.listening()
  })
  // One that could not be started closes, or does not, as the reason was: it has ended now, and not a second time.
  child.on('error', (error) => {
    if (child.pid !== undefined) return
    child.removeAllListeners('close')
    ended({ code: null, how: error.message })
  })
  // Its last lines have been read by then.
  child.once('close', (code, signal) => ended({ code, how: signal ?? `exit code ${code}` }))
  send(child, { kind: 'start', order })
  return {
    pid: child.pid,
    stop: (reason) => send(child, { kind: 'stop', reason }),
    reload: (reason) => send(child, { kind: 'reload', reason }),
    // Without a process, the signal would go to all of ours.
    kill: () => void (child.pid === undefined || child.kill('SIGKILL')),
  }
}

/** A node that has just gone is told nothing any more; its end comes as an event. */
function send(child: ChildProcess, message: ToNode): void {
  if (child.connected) child.send(message, () => {})
}
