import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type NetConnectOpts } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './eventually.js'
import { HttpClient } from './http-client.js'
import { lastingPorts } from './lasting-ports.js'
import { nsqdCommand } from './nsqd-command.js'
import { type Exit, Program } from './program.js'

const START_LIMIT_MS = 60_000
const START_TRIES = 3
const HOST = '127.0.0.1'

export interface BrokerOptions {
  /** Flags of `nsqd` beside the addresses and the data path. */
  readonly flags?: readonly string[]
  /** Another executable than the one under test. */
  readonly command?: string
  /** Listen on socket files in the broker's directory instead of on ports. */
  readonly unixSockets?: boolean
  /** The ports for V2 and for HTTP, where a test needs certain ones; otherwise any that are free. */
  readonly ports?: readonly [tcpPort: number, httpPort: number]
}

/** An `nsqd` process that accepts connections. */
export interface RunningBroker {
  readonly program: Program
  /** Where V2 clients connect. */
  readonly tcp: NetConnectOpts
  /** Its data path, with the socket files if it has any. */
  readonly directory: string
  /** `host:port` of the V2 listener; empty on Unix sockets. */
  readonly tcpAddress: string
  readonly tcpPort: number
  /** `host:port` of the HTTP listener; empty on Unix sockets. */
  readonly httpAddress: string
  readonly httpPort: number
  readonly http: HttpClient
  /** SIGTERM, then the end of the process; its directory is removed. May be called again. */
  stop(): Promise<Exit>
}

/** Starts the `nsqd` under test with a directory and addresses of its own, and waits until both listeners accept. */
export async function startBroker(options: BrokerOptions = {}): Promise<RunningBroker> {
  for (let triesLeft = START_TRIES; ; triesLeft--) {
    const directory = await mkdtemp(join(tmpdir(), 'spillway-test-'))
    const { tcp, http } = await addressesIn(directory, options)
    const flags = [
      `--tcp-address=${textOf(tcp)}`,
      `--http-address=${textOf(http)}`,
      `--data-path=${directory}`,
      ...(options.flags ?? []),
    ]
    const command = options.command === undefined ? nsqdCommand(flags) : { command: options.command, args: flags }
    const program = new Program(command)
    try {
      await Promise.all([accepts(program, tcp), accepts(program, http)])
    } catch (error) {
      program.signal('SIGKILL')
      await rm(directory, { recursive: true, force: true })
      // Between our look and its listening, somebody else may have taken the port.
      if (triesLeft > 1 && program.stderr.includes('in use')) continue
      throw new Error(`nsqd does not accept connections: ${program.stderr}`, { cause: error })
    }
    return runningBroker(program, tcp, http, directory)
  }
}

function runningBroker(program: Program, tcp: Address, http: Address, directory: string): RunningBroker {
  return {
    program,
    tcp,
    directory,
    tcpAddress: 'port' in tcp ? textOf(tcp) : '',
    tcpPort: 'port' in tcp ? tcp.port : 0,
    httpAddress: 'port' in http ? textOf(http) : '',
    httpPort: 'port' in http ? http.port : 0,
    http: new HttpClient(http),
    async stop() {
      try {
        return program.exit ?? (await program.stop())
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    },
  }
}

type Address = { readonly host: string; readonly port: number } | { readonly path: string }

async function addressesIn(directory: string, options: BrokerOptions): Promise<{ tcp: Address; http: Address }> {
  if (options.unixSockets === true) {
    return { tcp: { path: join(directory, 'tcp.sock') }, http: { path: join(directory, 'http.sock') } }
  }
  const [tcpPort = 0, httpPort = 0] = options.ports ?? (await lastingPorts(2))
  return { tcp: { host: HOST, port: tcpPort }, http: { host: HOST, port: httpPort } }
}

function textOf(address: Address): string {
  return 'path' in address ? address.path : `${address.host}:${address.port}`
}

/** Resolves when somebody accepts at `address`; rejects early when the program has ended. */
async function accepts(program: Program, address: Address): Promise<void> {
  const outcome = await eventually(() => tryOnce(program, address), START_LIMIT_MS, `a listener at ${textOf(address)}`)
  if (outcome instanceof Error) throw outcome
}

/** Rejects when there is nobody yet; an answer, good or bad, is final. */
async function tryOnce(program: Program, address: Address): Promise<'accepted' | Error> {
  if (program.exit !== undefined) return new Error(`it ended with ${JSON.stringify(program.exit)}`)
  const socket = connect(address)
  try {
    await once(socket, 'connect')
    return 'accepted'
  } finally {
    socket.destroy()
  }
}
