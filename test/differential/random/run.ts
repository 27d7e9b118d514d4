import { Brokers, Surroundings } from '../brokers.js'
import type { RandomOptions } from '../options.js'
import { type Conversation, type Kind, type Move, nameOf } from './conversation.js'
import { differenceText, lookOf, type Played } from './difference-text.js'
import { countsOf, draw } from './draw.js'
import { playConversation } from './play-conversation.js'
import { shrink } from './shrink.js'
import { judge } from './verdict.js'

/** A difference counts when it comes so many times in a row; what comes and goes is a matter of timing. */
const TIMES = 3
const SHRINK_TRIES_MAX = 150
const PROGRESS_EVERY = 1_000

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Plays conversations to both brokers and tells what differs. @returns the exit code */
export async function runRandom(options: RandomOptions, command: string): Promise<number> {
  const run = new RandomRun(options, command)
  try {
    return await run.run()
  } finally {
    await run.stop()
  }
}

class RandomRun {
  readonly #options: RandomOptions
  readonly #surroundings = new Surroundings()
  readonly #ours: Brokers
  readonly #original: Brokers
  readonly #known = new Map<string, number>()
  /** What came once and not again. */
  readonly #passing: string[] = []
  /** By what they look like. */
  readonly #different = new Map<string, number>()
  #playedCount = 0

  constructor(options: RandomOptions, command: string) {
    this.#options = options
    this.#ours = new Brokers(this.#surroundings)
    this.#original = new Brokers(this.#surroundings, command)
  }

  async run(): Promise<number> {
    const { seed, count, kinds, number, parallelCount } = this.#options
    say(`seed ${seed}`)
    if (number !== null) {
      await this.#check(draw(kinds[0], seed, number))
    } else {
      const counts = countsOf(count, kinds)
      await this.#inParallel(this.#numbers(counts, ['commands', 'deliveries']), parallelCount)
      await this.#inParallel(this.#numbers(counts, ['requests']), 1)
    }
    return this.#report()
  }

  async stop(): Promise<void> {
    await this.#ours.stop()
    await this.#original.stop()
    await this.#surroundings.stop()
  }

  *#numbers(counts: Readonly<Record<Kind, number>>, kinds: readonly Kind[]): Generator<Conversation> {
    for (const kind of kinds) {
      for (let number = 0; number < counts[kind]; number++) {
        if (this.#different.size >= this.#options.differencesMax) return
        yield draw(kind, this.#options.seed, number)
      }
    }
  }

  async #inParallel(conversations: Generator<Conversation>, parallelCount: number): Promise<void> {
    const worker = async (): Promise<void> => {
      for (const conversation of conversations) await this.#check(conversation)
    }
    await Promise.all(Array.from({ length: parallelCount }, worker))
  }

  async #check(conversation: Conversation): Promise<void> {
    let played = await this.#play(conversation, conversation.moves)
    for (let times = 1; times < TIMES && played.verdict.at !== null; times++) {
      const look = lookOf(played)
      played = await this.#play(conversation, conversation.moves)
      if (played.verdict.at === null) this.#passing.push(`${nameOf(conversation)}: ${look}`)
    }
    for (const name of played.verdict.known) this.#known.set(name, (this.#known.get(name) ?? 0) + 1)
    if (played.verdict.at !== null) await this.#tell(conversation, played)
    this.#playedCount++
    if (this.#playedCount % PROGRESS_EVERY === 0) say(`${this.#playedCount} played`)
  }

  /** The same look, the same difference: only the first is told. */
  async #tell(conversation: Conversation, played: Played): Promise<void> {
    const look = lookOf(played)
    const count = this.#different.get(look) ?? 0
    this.#different.set(look, count + 1)
    if (count > 0) return
    const differs = async (moves: readonly Move[]): Promise<boolean> => {
      for (let times = 0; times < TIMES; times++) {
        if (conversation.stepsOf(moves) === null) return false
        const { verdict } = await this.#play(conversation, moves)
        if (verdict.at === null) return false
      }
      return true
    }
    const moves = await shrink(conversation.moves, differs, SHRINK_TRIES_MAX)
    say(differenceText(conversation, moves, await this.#play(conversation, moves)))
  }

  async #play(conversation: Conversation, moves: readonly Move[]): Promise<Played> {
    const [ours, original] = await Promise.all(
      [this.#ours, this.#original].map((brokers) => playConversation(brokers, conversation, moves)),
    )
    return { ours, original, verdict: judge(conversation, moves, ours, original) }
  }

  #report(): number {
    say(`\n${this.#playedCount} conversations`)
    for (const [name, count] of [...this.#known].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      say(`${count} with a difference that is documented: ${name}`)
    }
    for (const look of this.#passing) say(`1 that did not differ when played again: ${look}`)
    for (const [look, count] of this.#different) say(`${count} DIFFERENT: ${look}`)
    if (this.#different.size === 0) say('nothing else differs')
    return this.#different.size === 0 ? 0 : 1
  }
}
