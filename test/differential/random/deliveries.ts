import type { Random } from '../../support/random.js'
import { bytes, int32, type Step, sized } from '../case.js'
import { type Change, changed, ONE_SUITE, WAYS } from '../changed-stream-steps.js'
import type { Conversation, Move } from './conversation.js'
import { DeliveryModel, type ModelChannel } from './delivery-model.js'
import { USUAL } from './settings.js'

const PRODUCER = 'p'
const CONSUMERS = ['a', 'b', 'c']
const CHANNELS = ['one', 'two', 'three#ephemeral']
const LATER_MS = 600_000
/** No message has it: the answer to a FIN of it says that everything before was done. */
const NOBODYS_ID = 'sync-0000-000000'
const SYNC = `FIN ${NOBODYS_ID}\n`

type Settling = 'finish' | 'again' | 'later' | 'touch'

type Act =
  | {
      readonly does: 'publish'
      readonly by: 'PUB' | 'DPUB' | 'MPUB' | '/pub' | '/mpub'
      readonly on: string
      readonly bodies: readonly string[]
      readonly isLater: boolean
    }
  | { readonly does: 'subscribe'; readonly on: string; readonly channel: string }
  | { readonly does: 'ready'; readonly on: string; readonly count: number }
  | { readonly does: Settling; readonly on: string; readonly index: number }
  | { readonly does: 'finishOther'; readonly on: string; readonly other: string; readonly index: number }
  | { readonly does: 'close'; readonly on: string }
  | { readonly does: 'leave'; readonly on: string }
  | { readonly does: 'create' | 'pause' | 'unpause' | 'empty' | 'delete'; readonly channel: string | null }
  | { readonly does: 'look' }

export interface DeliveryMove extends Move {
  readonly act: Act
}

const ONE_SUITE_ONLY = { version: 'TLSv1.3', ciphers: ONE_SUITE['TLSv1.3'] } as const
const MOVES_MAX = 25
const TRIES = 20

/** Publishes and consumers on one topic; each answer and each message is waited for. */
export function deliveriesConversation(random: Random, seed: number, number: number): Conversation<DeliveryMove> {
  const topic = `r${number}d`
  const changes = random.chance(0.2) ? random.pick(WAYS) : []
  const stepsOf = (moves: readonly DeliveryMove[]): readonly Step[] | null =>
    new DeliveryScript(topic, changes).write(moves)
  const moves: DeliveryMove[] = []
  const count = random.between(2, MOVES_MAX)
  const labels = { next: 0 }
  for (let tries = 0; moves.length < count && tries < count * TRIES; tries++) {
    const act = drawAct(random, labels)
    const move = { act, text: JSON.stringify(act), differs: [] }
    if (stepsOf([...moves, move]) !== null) moves.push(move)
  }
  return { kind: 'deliveries', seed, number, flags: USUAL.flags, topics: [topic], moves, stepsOf }
}

function drawAct(random: Random, labels: { next: number }): Act {
  const on = random.pick(CONSUMERS)
  const channel = random.pick(CHANNELS)
  const index = random.between(0, 6)
  return random.pick<() => Act>([
    () => drawPublish(random, labels),
    () => drawPublish(random, labels),
    () => drawPublish(random, labels),
    () => ({ does: 'subscribe', on, channel }),
    () => ({ does: 'subscribe', on, channel }),
    () => ({ does: 'ready', on, count: random.pick([0, 1, 1, 2, 3, 10, 2500]) }),
    () => ({ does: 'ready', on, count: random.pick([0, 1, 1, 2, 3, 10, 2500]) }),
    () => ({
      does: random.pick<Settling>(['finish', 'finish', 'finish', 'again', 'again', 'later', 'touch']),
      on,
      index,
    }),
    () => ({
      does: random.pick<Settling>(['finish', 'finish', 'finish', 'again', 'again', 'later', 'touch']),
      on,
      index,
    }),
    () => ({
      does: random.pick<Settling>(['finish', 'finish', 'finish', 'again', 'again', 'later', 'touch']),
      on,
      index,
    }),
    () => ({ does: 'finishOther', on, other: random.pick(CONSUMERS), index }),
    () => (random.chance(0.3) ? { does: 'close', on } : { does: 'leave', on }),
    () => ({
      does: random.pick(['create', 'pause', 'unpause', 'unpause', 'empty'] as const),
      channel: random.pick([channel, null]),
    }),
    () => (random.chance(0.3) ? { does: 'delete', channel: random.pick([channel, channel, null]) } : { does: 'look' }),
  ])()
}

function drawPublish(random: Random, labels: { next: number }): Act {
  const by = random.pick(['PUB', 'PUB', 'DPUB', 'MPUB', '/pub', '/mpub'] as const)
  const isMany = by === 'MPUB' || by === '/mpub'
  const bodies = Array.from({ length: isMany ? random.between(1, 4) : 1 }, () => `m${labels.next++}`)
  const isLater = (by === 'DPUB' || by === '/pub') && random.chance(0.4)
  return { does: 'publish', by, on: random.pick([PRODUCER, PRODUCER, ...CONSUMERS]), bodies, isLater }
}

/** Makes steps of moves; the model says what is waited for after each. */
class DeliveryScript {
  readonly #topic: string
  /** Of every stream. */
  readonly #changes: readonly Change[]
  readonly #model = new DeliveryModel()
  readonly #steps: Step[] = []
  /** Every name is used for one connection. */
  readonly #opened = new Set<string>()

  constructor(topic: string, changes: readonly Change[]) {
    this.#topic = topic
    this.#changes = changes
  }

  /** Null: these moves do not go together, or what comes of them is a matter of luck. */
  write(moves: readonly DeliveryMove[]): readonly Step[] | null {
    for (const { act } of moves) {
      if (!this.#act(act) || this.#model.isLuck) return null
      this.#settled()
    }
    this.#look()
    return this.#steps
  }

  /** False: that cannot be done here. */
  #act(act: Act): boolean {
    if (act.does === 'publish') return this.#publish(act)
    if (act.does === 'look') return this.#look()
    if ('channel' in act && act.does !== 'subscribe') return this.#administer(act.does, act.channel)
    if (act.does === 'subscribe') return this.#subscribe(act.on, act.channel)
    const consumer = this.#model.consumers.get(act.on)
    if (consumer === undefined) return false
    if (act.does === 'ready') {
      this.#send(act.on, `RDY ${act.count}\n`)
      this.#model.setReady(consumer, act.count)
    } else if (act.does === 'close') {
      if (consumer.isClosing) return false
      this.#send(act.on, 'CLS\n')
      consumer.due++
      this.#model.setReady(consumer, 0)
      consumer.isClosing = true
    } else if (act.does === 'leave') {
      this.#steps.push({ on: act.on, end: true }, { on: act.on, rest: true })
      this.#model.leave(consumer)
    } else if (act.does === 'finishOther') {
      const other = this.#model.consumers.get(act.other)
      if (other === undefined || other === consumer || other.received[act.index] === undefined) return false
      if (other.channel !== consumer.channel) return false
      this.#send(act.on, `FIN {${act.other}.id:${act.index}}\n`)
      if (consumer.received.includes(other.received[act.index])) return false
      consumer.due++
    } else {
      if (consumer.received[act.index] === undefined) return false
      this.#send(act.on, settling(act.does, act.index))
      this.#model.settle(consumer, act.index, act.does)
    }
    return true
  }

  #publish({ by, on, bodies, isLater }: Extract<Act, { does: 'publish' }>): boolean {
    const isHttp = by.startsWith('/')
    if (!isHttp && on !== PRODUCER && !this.#model.consumers.has(on)) return false
    if (isHttp) {
      const query = `topic=${this.#topic}${isLater ? `&defer=${LATER_MS}` : ''}`
      this.#steps.push({ request: `POST ${by}?${query}`, body: bodies.join('\n') })
    } else {
      if (on === PRODUCER && !this.#opened.has(on)) this.#open(on)
      this.#steps.push({ on, send: publishing(by, this.#topic, bodies, isLater) })
      const consumer = this.#model.consumers.get(on)
      if (consumer === undefined) this.#steps.push({ on, frames: 1 })
      else consumer.due++
    }
    this.#model.publish(bodies, isLater)
    return true
  }

  #subscribe(on: string, channel: string): boolean {
    if (this.#opened.has(on)) return false
    this.#open(on)
    this.#steps.push({ on, send: `SUB ${this.#topic} ${channel}\n` }, { on, frames: 1 })
    this.#model.subscribe(on, channel)
    return true
  }

  #open(on: string): void {
    this.#opened.add(on)
    this.#steps.push(...changed(this.#changes, [`"client_id":"${on}"`], ONE_SUITE_ONLY, on))
  }

  #administer(does: 'create' | 'pause' | 'unpause' | 'empty' | 'delete', channelName: string | null): boolean {
    const query = `topic=${this.#topic}${channelName === null ? '' : `&channel=${encodeURIComponent(channelName)}`}`
    this.#steps.push({ request: `POST /${channelName === null ? 'topic' : 'channel'}/${does}?${query}` })
    const model = this.#model
    if (does === 'create' && channelName === null) model.isThere = true
    if (!model.isThere) return true
    if (channelName === null) {
      if (does === 'empty') model.backlog = []
      if (does === 'pause' || does === 'unpause') model.setPaused(does === 'pause')
      if (does === 'delete') this.#cutOff(model.delete())
      return true
    }
    if (does === 'create') {
      model.openChannel(channelName)
      return true
    }
    const channel = model.channels.get(channelName)
    if (channel === undefined) return true
    if (does === 'empty') model.emptyChannel(channel)
    if (does === 'pause' || does === 'unpause') model.setChannelPaused(channel, does === 'pause')
    if (does === 'delete') this.#cutOff(model.deleteChannel(channel))
    return true
  }

  #cutOff(consumers: readonly { readonly name: string }[]): void {
    for (const { name } of consumers) this.#steps.push({ on: name, rest: true })
  }

  /** A command that may have no answer, and one behind it that has. */
  #send(on: string, command: string): void {
    this.#steps.push({ on, send: `${command}${SYNC}` })
    const consumer = this.#model.consumers.get(on)
    if (consumer !== undefined) consumer.due++
  }

  /** Waits for all that is due, and until everything is where the model has it. */
  #settled(): void {
    for (const consumer of this.#model.consumers.values()) {
      if (consumer.due > 0) this.#steps.push({ on: consumer.name, frames: consumer.due, inAnyOrder: true })
      consumer.due = 0
    }
    if (this.#model.isThere) this.#steps.push({ until: `GET ${this.#statsPath}`, matches: this.#expected() })
  }

  #look(): boolean {
    this.#steps.push({ request: `GET ${this.#statsPath}` })
    return true
  }

  get #statsPath(): string {
    return `/stats?format=json&include_mem=false&topic=${this.#topic}`
  }

  #expected(): RegExp {
    const channels = [...this.#model.channels.values()].map((channel) => this.#expectedOf(channel))
    // One that is ephemeral goes with its last consumer, a moment later.
    const gone = CHANNELS.filter((name) => !this.#model.channels.has(name)).map((name) => `(?!.*"${name}")`)
    return new RegExp(`^${channels.join('')}${gone.join('')}(?=.*\\],"depth":${this.#model.backlog.length},)`, 's')
  }

  #expectedOf(channel: ModelChannel): string {
    const counts = [
      `"channel_name":"${channel.name}","depth":${channel.waiting.length},"backend_depth":\\d+`,
      `"in_flight_count":${this.#model.count(channel, 'held')},"deferred_count":${this.#model.count(channel, 'deferred')}`,
      `[^{}]*"client_count":${channel.consumers.size},`,
    ]
    return `(?=.*${counts.join(',')})`
  }
}

function settling(does: Settling, index: number): string {
  const id = `{id:${index}}`
  if (does === 'finish') return `FIN ${id}\n`
  if (does === 'touch') return `TOUCH ${id}\n`
  return `REQ ${id} ${does === 'again' ? 0 : LATER_MS}\n`
}

function publishing(by: string, topic: string, bodies: readonly string[], isLater: boolean): Buffer {
  if (by === 'MPUB') return bytes(`MPUB ${topic}\n`, sized(int32(bodies.length), ...bodies.map((body) => sized(body))))
  const delay = by === 'DPUB' ? ` ${isLater ? LATER_MS : 0}` : ''
  return bytes(`${by} ${topic}${delay}\n`, sized(bodies[0]))
}
