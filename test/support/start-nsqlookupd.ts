import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.js'
import { HttpClient } from './http-client.js'
import { type Exit, Program } from './program.js'

const OURS = fileURLToPath(new URL('../../../packages/cli/bin/nsqlookupd.js', import.meta.url))
const START_LIMIT_MS = 10_000
const HOST = '127.0.0.1'

/** An `nsqlookupd` process that accepts connections. */
export interface RunningLookupd {
  readonly program: Program
  readonly tcpPort: number
  /** Where brokers register: `host:port`. */
  readonly tcpAddress: string
  readonly httpPort: number
  readonly httpAddress: string
  readonly http: HttpClient
  /** SIGTERM, then the end of the process. May be called again. */
  stop(): Promise<Exit>
}

/** Starts an nsqlookupd on free ports: ours, or the executable that is named. */
export async function startNsqlookupd(flags: readonly string[] = [], executable?: string): Promise<RunningLookupd> {
  const args = [`--tcp-address=${HOST}:0`, `--http-address=${HOST}:0`, `--broadcast-address=${HOST}`, ...flags]
  const program = new Program(
    executable === undefined ? { command: process.execPath, args: [OURS, ...args] } : { command: executable, args },
  )
  const portOf = (protocol: string): Promise<number> =>
    eventually(
      () => {
        program.assertRunning()
        const port = new RegExp(`${protocol}: listening on 127\\.0\\.0\\.1:(\\d+)`).exec(program.stderr)?.[1]
        return port === undefined ? undefined : Number(port)
      },
      START_LIMIT_MS,
      `nsqlookupd's ${protocol} listener`,
    )
  const [tcpPort, httpPort] = [await portOf('TCP'), await portOf('HTTP')]
  return {
    program,
    tcpPort,
    tcpAddress: `${HOST}:${tcpPort}`,
    httpPort,
    httpAddress: `${HOST}:${httpPort}`,
    http: new HttpClient({ host: HOST, port: httpPort }),
    stop: async () => program.exit ?? (await program.stop()),
  }
}
