import type { Clock, Logger, TimerHandle } from '@spillway/core'
import { RestartDelay } from './restart-delay.js'

/** How a node's process ended. */
export interface NodeEnd {
  /** `null` when a signal ended it, or when it could not be started. */
  readonly code: number | null
  /** For people. */
  readonly how: string
}

/** What a node's process tells; each at most once, nothing after the end. */
export interface NodeEvents {
  /** Everything listens. */
  listening(): void
  ended(end: NodeEnd): void
}

/** The process of a node. */
export interface NodeProcess {
  readonly pid: number | undefined
  /** Asks it to stop in order. Idempotent. */
  stop(reason: string): void
  /** Has it read again the files that its configuration names. */
  reload(reason: string): void
  /** Ends it at once. */
  kill(): void
}

/**
 * A terminal or systemd sends its signal to all processes. These end a node only before it has anything open: then it listens to them.
 */
const BEFORE_ANYTHING: readonly string[] = ['SIGINT', 'SIGTERM']

export interface SupervisorOptions {
  readonly names: readonly string[]
  readonly launch: (name: string, events: NodeEvents) => NodeProcess
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Keeps several nodes running. One that ends is started again, however it ended, after 0.1 s to 10 s; one that ends before it has
 * ever listened ends them all, since it would not do better the next time: a port is taken, a disk is not there.
 */
export class Supervisor {
  private readonly nodes: readonly SupervisedNode[]
  private readonly logger: Logger
  private exitCode = 0
  private isStopping = false
  private end: (code: number) => void = () => {}

  constructor(options: SupervisorOptions) {
    this.logger = options.logger
    this.nodes = options.names.map((name) => new SupervisedNode(name, options, this))
  }

  /** Starts all nodes. Once. @returns the exit code, when all have ended: 0 when each was asked to stop, and did properly */
  run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.end = resolve
    })
    for (const node of this.nodes) node.launch()
    return ended
  }

  /** Stops all nodes in order, at the same time. Idempotent. */
  stop(reason: string): void {
    if (this.isStopping) return
    this.isStopping = true
    for (const node of this.nodes) node.stop(reason)
    this.endIfAllGone()
  }

  reload(reason: string): void {
    for (const node of this.nodes) node.reload(reason)
  }

  /** Ends all nodes at once. */
  kill(): void {
    this.isStopping = true
    for (const node of this.nodes) node.kill()
  }

  /** A node has listened for the first time. */
  nodeListens(): void {
    if (this.isStopping || !this.nodes.every((node) => node.hasListened)) return
    this.logger.info(`all nodes are listening: ${this.nodes.length}`)
  }

  /** A node has ended. @returns whether it is to be started again */
  nodeEnded({ name, hasListened }: SupervisedNode, { code, how }: NodeEnd): boolean {
    if (!this.isStopping && hasListened) return true
    const isProper = code === 0 || BEFORE_ANYTHING.includes(how)
    if (!isProper) this.exitCode = 1
    if (!this.isStopping) {
      this.exitCode = 1
      this.logger.fatal(`${name} did not start (${how}): stopping`)
      this.stop('another node did not start')
    } else if (!isProper) {
      this.logger.error(`${name} did not stop properly`, { how })
    }
    this.endIfAllGone()
    return false
  }

  private endIfAllGone(): void {
    if (this.nodes.every((node) => !node.isRunning)) this.end(this.exitCode)
  }
}

/** One node, through all of its processes. */
class SupervisedNode {
  hasListened = false
  private process: NodeProcess | null = null
  private timer: TimerHandle | null = null
  private listenedAtMs: number | null = null
  private readonly delay = new RestartDelay()

  constructor(
    readonly name: string,
    private readonly options: Pick<SupervisorOptions, 'launch' | 'clock' | 'logger'>,
    private readonly supervisor: Supervisor,
  ) {}

  get isRunning(): boolean {
    return this.process !== null
  }

  launch(): void {
    const { launch, logger } = this.options
    this.timer = null
    this.listenedAtMs = null
    this.process = launch(this.name, {
      listening: () => this.listens(),
      ended: (end) => this.ended(end),
    })
    logger.info(`${this.name} started`, { pid: this.process.pid })
  }

  stop(reason: string): void {
    this.timer?.cancel()
    this.process?.stop(reason)
  }

  reload(reason: string): void {
    this.process?.reload(reason)
  }

  kill(): void {
    this.timer?.cancel()
    this.process?.kill()
  }

  private listens(): void {
    this.listenedAtMs = this.options.clock.monotonicMs()
    const isFirstTime = !this.hasListened
    this.hasListened = true
    if (isFirstTime) this.supervisor.nodeListens()
  }

  private ended(end: NodeEnd): void {
    const { clock, logger } = this.options
    this.process = null
    const { listenedAtMs } = this
    if (!this.supervisor.nodeEnded(this, end)) return
    const delayMs = this.delay.afterMs(listenedAtMs === null ? 0 : clock.monotonicMs() - listenedAtMs)
    logger.warn(`${this.name} ended (${end.how}): starts again in ${delayMs / 1000} s`)
    this.timer = clock.setTimer(delayMs, () => this.launch())
  }
}
