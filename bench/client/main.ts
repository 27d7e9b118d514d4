import { fork } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { UsageError } from '../src/options.js'
import { align, median } from '../src/report.js'
import { nsqdFlags, spillwayFlags } from '../src/storage-flags.js'
import { readVersion, type Subject, spillwayCommand, splitCommand, startSubject } from '../src/subject.js'
import { HELP, parseOptions } from './options.js'
import { BATCH_COUNT, type RunRequest, type RunResult, type Speed } from './run.js'

const RATIO_MIN = 3
const RUN_MAIN = fileURLToPath(new URL('./run-main.js', import.meta.url))

/** What is printed, and which figures of the two libraries it compares. */
const ROWS: readonly (readonly [title: string, spillway: string, nsqjs: string])[] = [
  ['publish, many in flight', 'publish', 'publish'],
  [`publish, batches of ${BATCH_COUNT}`, 'publish batches', 'publish batches'],
  ['consume, handler', 'run', 'on message'],
  ['consume, async handler', 'run async', 'on message'],
  ['consume, for await', 'for await', 'on message'],
]

const HEAD = ['', '@spillway/client', 'nsqjs 0.13', 'ratio', `${RATIO_MIN} or more`, 'CPU µs/msg', 'nsqjs', 'ratio']

const say = (line: string): void => void process.stderr.write(`${line}\n`)

/** @throws Error what the process says, or how it ended */
function measure(request: RunRequest): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = fork(RUN_MAIN)
    child.once('message', (answer: { result?: RunResult; failure?: string }) => {
      if (answer.result !== undefined) resolve(answer.result)
      else reject(new Error(answer.failure))
    })
    child.once('exit', (code, signal) => reject(new Error(`${request.library} ended with ${signal ?? code}`)))
    child.send(request)
  })
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(HELP)
    return
  }
  const { subject: named, roundCount, messageCount } = options
  const command = named === null ? spillwayCommand() : splitCommand(named)
  const subject: Subject = {
    label: 'broker',
    command,
    version: readVersion(command),
    cpuList: '',
    isSpillway: named === null,
    probed: false,
  }
  const flags = named === null ? spillwayFlags('memory', 0) : nsqdFlags('memory', 10 * messageCount)
  const loadBefore = loadavg()[0]
  const broker = await startSubject(subject, flags)
  const results = { spillway: [] as RunResult[], nsqjs: [] as RunResult[] }
  try {
    for (let round = 0; round < roundCount; round++) {
      for (const library of ['spillway', 'nsqjs'] as const) {
        say(`round ${round + 1} of ${roundCount}: ${library}`)
        const tag = Math.floor(Math.random() * 2 ** 31)
        const ports = { port: broker.tcpPort, httpPort: broker.httpPort }
        results[library].push(await measure({ ...options, ...ports, library, tag }))
      }
    }
  } finally {
    await broker.stop()
  }
  const medianOf = (library: keyof typeof results, figure: string, what: keyof Speed): number =>
    median(results[library].map((result) => result[figure][what]))
  const rows = ROWS.map(([title, ours, theirs]) => {
    const [our, their] = [medianOf('spillway', ours, 'perSecond'), medianOf('nsqjs', theirs, 'perSecond')]
    const [ourUs, theirUs] = [medianOf('spillway', ours, 'cpuUs'), medianOf('nsqjs', theirs, 'cpuUs')]
    const ratio = our / their
    const thousands = (value: number): string => `${(value / 1_000).toFixed(1)} k/s`
    const cpu = [ourUs.toFixed(1), theirUs.toFixed(1), (theirUs / ourUs).toFixed(1)]
    return [title, thousands(our), thousands(their), ratio.toFixed(1), ratio >= RATIO_MIN ? 'ok' : 'BELOW', ...cpu]
  })
  const load = `load average before ${loadBefore.toFixed(2)}, after ${loadavg()[0].toFixed(2)}`
  process.stdout.write(
    [
      '',
      `${subject.version}; ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}; ${load}`,
      `${messageCount} messages of ${options.bodySizeBytes} bytes, ${options.inFlight} in flight, medians of ${roundCount} rounds, every message verified`,
      '',
      align([[...HEAD], ...rows]),
      '',
    ].join('\n'),
  )
}

try {
  await main()
} catch (error) {
  if (error instanceof UsageError) say(`bench:client: ${error.message}\nSee npm run bench:client -- --help`)
  else say(`bench:client: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 2
}
