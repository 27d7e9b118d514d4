import assert from 'node:assert/strict'
import { Brokers, Surroundings } from '../brokers.js'
import { MPUB_LENGTH, TOPOLOGY_FIELDS } from '../differences.js'
import { HELP, parseOptions, UsageError } from '../options.js'
import { type Conversation, KINDS, type Move, nameOf } from './conversation.js'
import { countsOf, draw } from './draw.js'
import { playConversation } from './play-conversation.js'
import { shrink } from './shrink.js'
import { judge, STUCK } from './verdict.js'

const SEED = 1

describe('conversations that are drawn', () => {
  for (const kind of KINDS) {
    it(`are the same for the same seed and number, and others for others: ${kind}`, () => {
      const shown = (seed: number, number: number): string => JSON.stringify(draw(kind, seed, number))
      for (let number = 0; number < 20; number++) assert.equal(shown(SEED, number), shown(SEED, number))
      assert.notEqual(shown(SEED, 1), shown(SEED, 2))
      assert.notEqual(shown(SEED, 1), shown(SEED + 1, 1))
    })

    it(`share no topic: ${kind}`, () => {
      const topics = Array.from({ length: 200 }, (_, number) => [...new Set(draw(kind, SEED, number).topics)]).flat()
      assert.equal(new Set(topics).size, topics.length)
    })
  }

  it('of deliveries wait for nothing that is a matter of luck', () => {
    for (let number = 0; number < 50; number++) {
      const { moves, stepsOf } = draw('deliveries', SEED, number)
      assert.notEqual(stepsOf(moves), null, String(number))
    }
  })

  it('are as many as asked for', () => {
    assert.deepEqual(countsOf(10, KINDS), { commands: 6, deliveries: 2, requests: 2 })
    assert.deepEqual(countsOf(7, ['requests']), { commands: 0, deliveries: 0, requests: 7 })
    const { commands, deliveries, requests } = countsOf(13, KINDS)
    assert.equal(commands + deliveries + requests, 13)
  })

  describe('played to ours', () => {
    const surroundings = new Surroundings()
    const brokers = new Brokers(surroundings)
    after(async () => {
      await brokers.stop()
      await surroundings.stop()
    })

    for (const kind of KINDS) {
      it(`come to an end, and are answered the second time as the first: ${kind}`, async function () {
        this.timeout(60_000)
        const playTwice = async (conversation: Conversation): Promise<void> => {
          const first = await playConversation(brokers, conversation)
          const second = await playConversation(brokers, conversation)
          const stuck = first.find((line) => line.startsWith(STUCK))
          assert.equal(stuck, undefined, nameOf(conversation))
          assert.equal(judge(conversation, conversation.moves, second, first).at, null, nameOf(conversation))
        }
        const conversations = Array.from({ length: 20 }, (_, number) => draw(kind, SEED, number))
        // Requests look at everything that there is, whoever made it.
        if (kind === 'requests') for (const conversation of conversations) await playTwice(conversation)
        else await Promise.all(conversations.map(playTwice))
      })
    }
  })
})

describe('a verdict', () => {
  const verdict = (ours: readonly string[], original: readonly string[], differs?: string, kind = 'commands') => {
    const moves: Move[] = [{ text: 'a move', differs: differs === undefined ? [] : [differs] }]
    const { known, at } = judge({ kind } as Conversation, moves, ours, original)
    return { known: [...known], at }
  }

  it('finds the first line that differs', () => {
    assert.deepEqual(verdict(['a: response OK', 'a: end'], ['a: response OK', 'a: end']), { known: [], at: null })
    assert.deepEqual(verdict(['a: response OK', 'a: end'], ['a: response OK', 'a: response OK']), { known: [], at: 1 })
    assert.deepEqual(verdict(['a: end'], ['a: end', 'more']), { known: [], at: 1 })
  })

  it('takes documented differences back, and finds others in the same line', () => {
    const ours = 'a: response {"version":"1.3.0","topology_region":"","topology_zone":""}'
    assert.deepEqual(verdict([ours], ['a: response {"version":"1.3.0"}']), { known: [TOPOLOGY_FIELDS], at: null })
    assert.deepEqual(verdict([ours], ['a: response {"version":"1.3.1"}']), { known: [], at: 0 })
  })

  it('knows a documented difference only where a move may lead to it, and only by its look', () => {
    const ours = ['a: error E_BAD_BODY MPUB invalid body size 9', 'a: end']
    const original = ['a: response OK', 'a: error E_INVALID invalid command x']
    assert.deepEqual(verdict(ours, original, MPUB_LENGTH), { known: [MPUB_LENGTH], at: null })
    assert.deepEqual(verdict(ours, original), { known: [], at: 0 })
    assert.deepEqual(verdict(['a: response X'], original, MPUB_LENGTH), { known: [], at: 0 })
  })

  it('never takes it for good when nsqd does not come to an end', () => {
    assert.deepEqual(verdict([`${STUCK}x`], [`${STUCK}x`]), { known: [], at: 0 })
  })

  it('does not care for the order of clients, and for producers of other topics', () => {
    const stats = (clients: string, producers: string): string =>
      `GET /stats?format=json&topic=t -> 200\n  {"start_time":N,"topics":[{"channels":[{"clients":[${clients}]}]}],"producers":${producers}}`
    const [a, b] = ['{"client_id":"a"}', '{"client_id":"b","pub_counts":[]}']
    assert.equal(verdict([stats(`${a},${b}`, `[${a},${b}]`)], [stats(`${b},${a}`, `[${b}]`)]).at, null)
    assert.equal(verdict([stats(a, 'null')], [stats(b, 'null')]).at, 0)
  })
})

describe('shrinking', () => {
  it('leaves what is needed, in its order', async () => {
    const items = Array.from({ length: 40 }, (_, index) => index)
    let tries = 0
    const fails = async (fewer: readonly number[]): Promise<boolean> => {
      tries++
      return [3, 17, 18].every((item) => fewer.includes(item))
    }
    assert.deepEqual(await shrink(items, fails, 1_000), [3, 17, 18])
    assert.ok(tries < 100, `${tries} tries`)
  })

  it('keeps what it has when nothing can go, and when it has tried often enough', async () => {
    assert.deepEqual(await shrink([1], async () => true, 100), [1])
    assert.deepEqual(await shrink([1, 2, 3], async () => false, 100), [1, 2, 3])
    assert.equal((await shrink([1, 2, 3, 4], async () => true, 1)).length, 2)
  })
})

describe('the options of the differential test', () => {
  it('are the cases, or conversations', () => {
    assert.deepEqual(parseOptions([]), { records: false, random: null })
    assert.deepEqual(parseOptions(['--record']), { records: true, random: null })
    assert.equal(parseOptions(['--help']), 'help')
    assert.deepEqual(parseOptions(['--random', '20', '--seed=7', '--only', 'requests', '--number', '3']), {
      records: false,
      random: { count: 20, seed: 7, kinds: ['requests'], number: 3, parallelCount: 16, differencesMax: 10 },
    })
  })

  it('are all in the help', () => {
    for (const name of ['record', 'random', 'seed', 'only', 'number', 'parallel', 'differences', 'help']) {
      assert.ok(HELP.includes(`--${name}`), name)
    }
  })

  for (const args of [
    ['--random'],
    ['--random', 'x'],
    ['--random', '-1'],
    ['--seed', '1'],
    ['--random', '1', '--record'],
    ['--random', '1', '--only', 'nothing'],
    ['--random', '1', '--number', '1'],
    ['--what'],
  ]) {
    it(`are refused when they make no sense: ${args.join(' ')}`, () => {
      assert.throws(() => parseOptions(args), UsageError)
    })
  }
})
