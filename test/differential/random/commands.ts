import { GOOD_SECRET } from '../../interop/auth-server.js'
import type { Random } from '../../support/random.js'
import { bytes, int32, type Step, sized } from '../case.js'
import { type Change, changed, WAYS } from '../changed-stream-steps.js'
import { BEYOND_2_53, BEYOND_64_BITS, MPUB_LENGTH, SECOND_IDENTIFY_INSIDE, TOPOLOGY_FIELDS } from '../differences.js'
import type { Conversation, Move } from './conversation.js'
import { identifyBody } from './identify-bodies.js'
import { badNames, badSizes, goodNames, mpubCountMax, numberText, randomBytes } from './parameters.js'
import { drawSetting, type Setting } from './settings.js'

/** What nsqd reads at once is twice as much. */
const LARGE_BYTES = 8_000
const LINE_BYTES_MAX = 16_384
const NS_PER_MS = 1_000_000n
const INT64_END = 2n ** 63n

/** Bytes that a client sends, or a change of the stream before it sends any. */
export interface CommandMove extends Move {
  readonly bytes: Buffer
  /** How many replies there are for sure; null: perhaps none, perhaps the last. */
  readonly replies: number | null
  /** Sent in two writes, the first of which is this long, and all answers to what came before in between; null: in one. */
  readonly splitAt: number | null
  readonly changes?: readonly Change[]
}

/** Commands on one connection that gets no messages, good ones and then perhaps a bad one. */
export function commandsConversation(random: Random, seed: number, number: number): Conversation<CommandMove> {
  const setting = drawSetting(random)
  const draw = new CommandDraw(random, `r${number}`, setting)
  const moves = draw.moves()
  const sent = Buffer.concat(moves.map((move) => move.bytes)).toString('latin1')
  const published = goodNames(draw.topic).filter((name) => sent.includes(name))
  const consumed = goodNames(draw.consumedTopic).filter((name) => sent.includes(name))
  return {
    kind: 'commands',
    seed,
    number,
    flags: setting.flags,
    topics: [...published, ...consumed],
    moves,
    stepsOf: (moves) => stepsOf(moves, published),
  }
}

function stepsOf(moves: readonly CommandMove[], topics: readonly string[]): readonly Step[] {
  const changes = moves.find((move) => move.changes !== undefined)?.changes
  const steps: Step[] = changes === undefined ? [{ connect: 'a' }] : [...changed(changes)]
  let pending: Buffer[] = changes === undefined ? [bytes('  V2')] : []
  let due = 0
  const flush = (): void => {
    if (pending.length > 0) steps.push({ on: 'a', send: Buffer.concat(pending) })
    pending = []
  }
  // What was sent in vain may cost the last answers: only what is answered for sure may have something behind it.
  let isSure = true
  for (const { bytes, replies, splitAt } of moves) {
    const isWhole = splitAt === bytes.length
    if (isWhole) due += replies ?? 0
    if (splitAt !== null && isSure) {
      pending.push(bytes.subarray(0, splitAt))
      flush()
      if (due > 0) steps.push({ on: 'a', frames: due })
      due = 0
      pending.push(bytes.subarray(splitAt))
    } else {
      pending.push(bytes)
    }
    if (replies === null) isSure = false
    if (!isWhole) due += replies ?? 0
  }
  flush()
  steps.push({ on: 'a', end: true }, { on: 'a', rest: true })
  for (const topic of topics) steps.push({ request: `GET ${statsPath(topic)}` })
  return steps
}

const statsPath = (topic: string): string =>
  `/stats?format=json&include_mem=false&include_clients=false&topic=${encodeURIComponent(topic)}`

class CommandDraw {
  readonly topic: string
  /** Another one, so that no messages come in between replies. */
  readonly consumedTopic: string
  readonly #random: Random
  readonly #setting: Setting
  /** Whether what should be answered is. */
  #isSure = true

  constructor(random: Random, base: string, setting: Setting) {
    this.#random = random
    this.#setting = setting
    const start = setting.first === 'auth' ? random.pick(['open-', 'open-', 'closed-']) : ''
    this.topic = `${start}${base}p`
    this.consumedTopic = `${start}${base}s`
  }

  moves(): CommandMove[] {
    const random = this.#random
    const moves: CommandMove[] = []
    const { first } = this.#setting
    const isChanged = random.chance(first === 'tls' ? 0.8 : 0.08)
    const isAuthenticated = first === 'auth' && random.chance(0.8)
    if (isChanged) moves.push(this.#change())
    if (isAuthenticated) moves.push(this.#bodied('AUTH', Buffer.from(GOOD_SECRET), 1))
    if (first === 'tls') this.#isSure = isChanged
    if (first === 'auth') this.#isSure = isAuthenticated && !this.topic.startsWith('closed-')
    const count = random.between(1, 8)
    for (let index = 0; index < count; index++) {
      const move = random.chance(index === count - 1 ? 0.3 : 0.75) ? this.#good() : this.#any()
      const isLarge = move.bytes.length > LARGE_BYTES || (move.replies ?? 0) > 1
      // What nsqd has not read when it closes resets the connection, and its last answer with it.
      if (isLarge && (!this.#isSure || moves.some(({ replies }) => replies === null))) continue
      const isSplit = move.splitAt === null && random.chance(0.2)
      moves.push(isSplit ? { ...move, splitAt: random.between(0, move.bytes.length) } : move)
      if (isLarge && move.replies === null) break
    }
    if (moves.length === 0) moves.push(this.#line('NOP', 0))
    if (moves[0]?.changes !== undefined) for (const [index, move] of moves.entries()) moves[index] = inside(move)
    const last = moves[moves.length - 1]
    if (last.bytes.length > 1 && random.chance(0.12)) moves[moves.length - 1] = this.#cut(last)
    return moves
  }

  #move(text: string, bytes: Buffer, replies: number | null, differs: readonly string[] = []): CommandMove {
    const sure = this.#isSure ? replies : null
    return { text, bytes, replies: sure, splitAt: null, differs }
  }

  #change(): CommandMove {
    const changes = this.#random.pick(
      this.#setting.first === 'tls' ? WAYS.filter((changes) => changes.includes('tls')) : WAYS,
    )
    return { ...this.#move(`inside ${changes.join(', ')}`, Buffer.alloc(0), 0), changes }
  }

  #cut(move: CommandMove): CommandMove {
    const end = this.#random.between(1, move.bytes.length - 1)
    return {
      ...move,
      text: `${move.text}, cut off after ${end} bytes`,
      bytes: move.bytes.subarray(0, end),
      replies: null,
      splitAt: null,
    }
  }

  /** What is answered, or says nothing, and leaves the connection open. */
  #good(): CommandMove {
    const random = this.#random
    const { delayMsMax, readyCountMax } = this.#setting.limits
    const topic = this.#goodTopic()
    const body = randomBytes(random, this.#goodSize())
    return random.pick([
      () => this.#line('NOP', 0),
      () => this.#line('NOP more and more', 0),
      () => this.#bodied(`PUB ${topic}`, body, 1),
      () => this.#bodied(`PUB ${topic} more`, body, 1),
      () => this.#bodied(`DPUB ${topic} ${random.pick(['0', '1', '', '60000', delayMsMax, '0003'])}`, body, 1),
      () => this.#goodMpub(topic),
      () => this.#burst(topic),
      () => this.#identify(true),
      // Good once, and only after the right ones.
      () => this.#line(`SUB ${this.#consumed()} ${random.pick(goodNames('c'))}`, null),
      () => this.#line(`RDY ${random.pick(['0', '1', readyCountMax, ''])}`, null),
      () => this.#line(`FIN ${this.#id()}`, null),
      () => this.#line(`REQ ${this.#id()} ${random.pick(['0', '1', '', '3600000', '3600001'])}`, null),
      () => this.#line(`TOUCH ${this.#id()}`, null),
      () => this.#line('CLS', null),
    ])()
  }

  #any(): CommandMove {
    const random = this.#random
    return random.pick([
      () => this.#garbage(),
      () => this.#longLine(),
      () => this.#identify(false),
      () => this.#sizes('IDENTIFY', this.#setting.limits.bodyBytesMax),
      () => this.#auth(),
      () => this.#subscribe(),
      () => this.#ready(),
      () => this.#settle(),
      () => this.#publish('PUB', ''),
      () => this.#publish('DPUB', ` ${this.#delay()}`),
      () => this.#mpub(),
      () => this.#mpub(),
      () => this.#wordy(),
    ])()
  }

  #line(line: string, replies: number | null, differs: readonly string[] = []): CommandMove {
    const end = this.#random.chance(0.9) ? '\n' : '\r\n'
    return this.#move(shown(line), bytes(line, end), replies, differs)
  }

  #bodied(line: string, body: Uint8Array, replies: number | null, differs: readonly string[] = []): CommandMove {
    return this.#move(`${shown(line)}, ${body.length} bytes`, bytes(line, '\n', sized(body)), replies, differs)
  }

  #goodTopic(): string {
    return this.#random.pick(goodNames(this.topic))
  }

  #topicAny(): string {
    return this.#random.chance(0.5) ? this.#goodTopic() : this.#random.pick(badNames(this.topic))
  }

  #consumed(): string {
    return this.#random.pick(goodNames(this.consumedTopic))
  }

  #goodSize(): number {
    const random = this.#random
    const { msgBytesMax } = this.#setting.limits
    if (random.chance(msgBytesMax > 1000 ? 0.01 : 0.3)) return random.pick([msgBytesMax - 1, msgBytesMax])
    return random.pick([1, 2, random.between(1, Math.min(300, msgBytesMax))])
  }

  #id(): string {
    const random = this.#random
    return random.pick([
      '0123456789abcdef',
      'zzzzzzzzzzzzzzzz',
      '0123456789ABCDEF',
      '"""""""\\\\\\\\\\\\\\\\\\',
      randomBytes(random, 16)
        .toString('latin1')
        .replace(/[\n\r ]/g, '_'),
    ])
  }

  #delay(): string {
    return numberText(this.#random, 0, this.#setting.limits.delayMsMax)
  }

  #identify(isGoodWanted: boolean): CommandMove {
    for (;;) {
      const { body, isGood } = identifyBody(this.#random)
      if (isGoodWanted && !isGood) continue
      // nsqd resets the connection before its error arrives.
      if (body.length > LARGE_BYTES && body.length > this.#setting.limits.bodyBytesMax) continue
      const text = `IDENTIFY ${body.length > 300 ? `${body.length} bytes` : JSON.stringify(body.toString('latin1'))}`
      const json = body.toString('latin1')
      const differs = [
        ...(/\d{16,}/.test(json) ? [BEYOND_2_53] : []),
        ...(/topology/i.test(json) ? [TOPOLOGY_FIELDS] : []),
      ]
      return this.#move(
        text,
        bytes('IDENTIFY\n', sized(body)),
        isGood && this.#setting.limits.bodyBytesMax > 1000 ? 1 : null,
        differs,
      )
    }
  }

  #auth(): CommandMove {
    const random = this.#random
    const line = random.pick(['AUTH', 'AUTH', 'AUTH ', 'AUTH x'])
    if (random.chance(0.3)) return this.#sizes(line, this.#setting.limits.bodyBytesMax)
    return this.#bodied(line, randomBytes(random, random.between(1, 20)), null)
  }

  #subscribe(): CommandMove {
    const random = this.#random
    const topic = random.chance(0.6) ? this.#consumed() : random.pick(badNames(this.consumedTopic))
    const channel = random.pick([random.pick(goodNames('c')), random.pick(badNames('c'))])
    return this.#line(
      random.pick([
        `SUB ${topic} ${channel}`,
        `SUB ${topic} ${channel}`,
        `SUB ${topic}`,
        `SUB ${topic} `,
        'SUB',
        'SUB ',
        `SUB  ${topic} ${channel}`,
        `SUB ${topic} ${channel} more`,
      ]),
      null,
    )
  }

  #ready(): CommandMove {
    const count = numberText(this.#random, 0, this.#setting.limits.readyCountMax)
    return this.#line(
      this.#random.pick([`RDY ${count}`, `RDY ${count}`, `RDY ${count}`, 'RDY', `RDY  ${count}`, `RDY ${count} x`]),
      null,
      beyond(count, 1n),
    )
  }

  #settle(): CommandMove {
    const random = this.#random
    const command = random.pick(['FIN', 'REQ', 'TOUCH'])
    const id = random.pick([this.#id(), this.#id(), this.#id().slice(1), `${this.#id()}x`, '', 'abc'])
    const timeout = this.#delay()
    const rest =
      command === 'REQ' || random.chance(0.1)
        ? random.pick([` ${timeout}`, ` ${timeout}`, '', ' ', ` ${timeout} x`])
        : ''
    return this.#line(
      random.pick([
        `${command} ${id}${rest}`,
        `${command} ${id}${rest}`,
        `${command} ${id}${rest}`,
        command,
        `${command} `,
        `${command}  ${id}${rest}`,
      ]),
      null,
    )
  }

  #publish(command: 'PUB' | 'DPUB', parameter: string): CommandMove {
    const random = this.#random
    const line = random.pick([
      `${command} ${this.#topicAny()}${parameter}`,
      `${command} ${this.#topicAny()}${parameter}`,
      `${command} ${this.#goodTopic()}`,
      command,
      `${command} `,
      `${command}  ${this.#goodTopic()}${parameter}`,
    ])
    const differs = command === 'DPUB' ? beyond(parameter.slice(1), NS_PER_MS) : []
    if (random.chance(0.4)) return { ...this.#sizes(line, this.#setting.limits.msgBytesMax), differs }
    return this.#bodied(line, randomBytes(random, random.between(1, 120)), null, differs)
  }

  /** A size that cannot be, and a few bytes behind it. */
  #sizes(line: string, sizeBytesMax: number): CommandMove {
    const random = this.#random
    const size = random.pick(badSizes(sizeBytesMax))
    const behind = random.pick(['', 'x', 'NOP\n'])
    return this.#move(`${shown(line)}, which says ${size} bytes`, bytes(line, '\n', int32(size), behind), null)
  }

  #goodMpub(topic: string): CommandMove {
    const random = this.#random
    const messages = Array.from({ length: random.between(1, 5) }, () =>
      sized(randomBytes(random, random.between(1, 40))),
    )
    return this.#move(
      `MPUB ${topic}, ${messages.length} messages`,
      bytes(`MPUB ${topic}\n`, sized(int32(messages.length), ...messages)),
      1,
    )
  }

  /** Many at once, answered one by one. */
  #burst(topic: string): CommandMove {
    const count = this.#random.between(2, 200)
    const publish = bytes(`PUB ${topic}\n`, sized(randomBytes(this.#random, this.#random.between(1, 20))))
    const move = this.#move(`PUB ${topic} ${count} times`, bytes(...Array(count).fill(publish)), count)
    return { ...move, splitAt: move.bytes.length } // whatever follows waits until all have their answers
  }

  #mpub(): CommandMove {
    const random = this.#random
    const countMax = mpubCountMax(this.#setting.limits)
    const line = random.pick([
      `MPUB ${this.#goodTopic()}`,
      `MPUB ${this.#goodTopic()} more`,
      `MPUB ${this.#topicAny()}`,
      'MPUB',
      'MPUB ',
    ])
    if (random.chance(0.2)) return this.#sizes(line, this.#setting.limits.bodyBytesMax)
    const sizes = Array.from({ length: random.between(0, 4) }, () =>
      random.chance(0.15) ? random.pick(badSizes(this.#setting.limits.msgBytesMax)) : random.between(1, 20),
    )
    const count = random.chance(0.7)
      ? sizes.length
      : random.pick([0, -1, 1, sizes.length + 1, countMax, countMax + 1, 2_147_483_647])
    const messages = sizes.map((size) => bytes(int32(size), randomBytes(random, Math.max(0, Math.min(size, 20)))))
    const body = bytes(int32(count), ...messages)
    const said = random.chance(0.75)
      ? body.length
      : Math.max(1, body.length + random.pick([-5, -4, -1, 1, 4, 5, 100, 1_000_000]))
    const differs = said === body.length && count === sizes.length ? [] : [MPUB_LENGTH]
    const text = `${shown(line)}, which says ${said} bytes, ${count} messages, and has those of ${sizes.join(', ') || 'none'} bytes`
    return this.#move(text, bytes(line, '\n', int32(said), body), null, differs)
  }

  #garbage(): CommandMove {
    const random = this.#random
    const line = random.pick([
      '',
      ' ',
      '\r',
      'what',
      'pub x',
      'Nop',
      'NOP ',
      'NOPE',
      ' NOP',
      'GET / HTTP/1.1',
      'IDENTIFY x',
      'CLS ',
      'CLS x',
      randomBytes(random, random.between(1, 30)).toString('latin1'),
    ])
    return this.#move(shown(line), bytes(line, '\n'), null)
  }

  /** Around the longest line that is read. */
  #longLine(): CommandMove {
    const random = this.#random
    const sizeBytes = LINE_BYTES_MAX + random.pick([-2, -1, 0, 1, 100])
    const start = random.pick(['NOP ', 'PUB ', 'what', `SUB ${this.consumedTopic} `])
    const end = random.pick(['\n', '\r\n', ''])
    return this.#move(`${start}… of ${sizeBytes} bytes`, bytes(start.padEnd(sizeBytes - end.length, 'x'), end), null)
  }

  /** More parameters than anybody counts. */
  #wordy(): CommandMove {
    const random = this.#random
    const words = Array.from({ length: random.between(0, 6) }, () => random.pick(['', 'x', '1', this.consumedTopic]))
    return this.#line(
      [random.pick(['NOP', 'RDY', 'FIN', 'REQ', 'TOUCH', 'CLS', 'SUB', 'AUTH', 'WHAT']), ...words].join(' '),
      null,
    )
  }
}

/** What a move may lead to in a changed stream. */
function inside(move: CommandMove): CommandMove {
  const setsBuffer = move.bytes.toString('latin1').toLowerCase().includes('output_buffer_size')
  return setsBuffer ? { ...move, differs: [...move.differs, SECOND_IDENTIFY_INSIDE] } : move
}

/** Beyond what nsqd's 64 bits hold, in nanoseconds where it counts those. */
function beyond(text: string, factor: bigint): readonly string[] {
  return /^[0-9]+$/.test(text) && BigInt(text) * factor >= INT64_END ? [BEYOND_64_BITS] : []
}

const shown = (line: string): string =>
  JSON.stringify(line.length > 200 ? `${line.slice(0, 100)}… (${line.length} bytes)` : line)
