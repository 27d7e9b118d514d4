import assert from 'node:assert/strict'
import { FakeClock, randomBelow, seededRandom } from '@spillway/core/testing'
import { parseCommandLine } from '../src/protocol/command-line.js'
import { Peer } from '../src/registrations/peer.js'
import { RegistrationDatabase } from '../src/registrations/registration-database.js'
import { INFO } from './support/bytes.js'

const TOPICS = ['a', 'b', 'c#ephemeral'] as const
const CHANNELS = ['x', 'y#ephemeral'] as const
const STEPS = 300
const ROUNDS = 15

/** The same as nsqlookupd keeps it: keys of text, each with the peers that are there. */
class Model {
  readonly keys = new Map<string, Set<number>>()

  add(key: string, peer?: number): void {
    const peers = this.keys.get(key) ?? new Set()
    if (peer !== undefined) peers.add(peer)
    this.keys.set(key, peers)
  }

  /** From a key; what is ephemeral goes with its last peer, where `cleans`. */
  remove(key: string, peer: number, cleans: boolean): void {
    const peers = this.keys.get(key)
    peers?.delete(peer)
    if (cleans && peers?.size === 0 && key.endsWith('#ephemeral')) this.keys.delete(key)
  }
}

const topicKey = (topic: string): string => `topic ${topic}`
const channelKey = (topic: string, channel: string): string => `channel ${topic} ${channel}`

describe('the database', () => {
  it('is always what nsqlookupd would have made of it', () => {
    const seed = Number(process.env.SPILLWAY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const random = seededRandom(seed)
    const oneOf = <T>(items: readonly T[]): T => items[randomBelow(random, items.length)]
    for (let round = 0; round < ROUNDS; round++) {
      const clock = new FakeClock()
      let changes = 0
      const database = new RegistrationDatabase({ clock, countMax: 1_000, onChange: () => changes++ })
      const model = new Model()
      const peers = Array.from({ length: 3 }, (_, index) => newPeer(index, clock))
      for (const peer of peers) database.addPeer(peer)
      for (let step = 0; step < STEPS; step++) {
        const topic = oneOf(TOPICS)
        const channel = oneOf(CHANNELS)
        const index = randomBelow(random, peers.length)
        const keysBefore = [...model.keys.keys()].sort().join()
        const changesBefore = changes
        switch (randomBelow(random, 9)) {
          case 0:
          case 1:
            database.register(peers[index], topic, channel)
            model.add(channelKey(topic, channel), index)
            model.add(topicKey(topic), index)
            break
          case 2:
            database.register(peers[index], topic, null)
            model.add(topicKey(topic), index)
            break
          case 3:
            database.unregister(peers[index], topic, channel)
            model.remove(channelKey(topic, channel), index, true)
            break
          case 4:
            database.unregister(peers[index], topic, null)
            for (const each of CHANNELS) model.remove(channelKey(topic, each), index, false)
            model.remove(topicKey(topic), index, true)
            break
          case 5:
            database.removePeer(peers[index])
            for (const key of model.keys.keys()) model.remove(key, index, false)
            peers[index] = newPeer(index, clock)
            database.addPeer(peers[index])
            break
          case 6:
            database.createChannel(topic, channel)
            model.add(channelKey(topic, channel))
            model.add(topicKey(topic))
            break
          case 7:
            database.deleteTopic(topic)
            for (const each of CHANNELS) model.keys.delete(channelKey(topic, each))
            model.keys.delete(topicKey(topic))
            break
          case 8:
            assert.equal(database.deleteChannel(topic, channel), model.keys.delete(channelKey(topic, channel)))
            break
        }
        const where = `seed ${seed}, round ${round}, step ${step}`
        assert.deepEqual(keysOf(database, peers), sorted(model), where)
        const isChanged = [...model.keys.keys()].sort().join() !== keysBefore
        if (isChanged) assert.ok(changes > changesBefore, `${where}: nobody was told of the change`)
        const entryCount = [...model.keys.values()].reduce((count, { size }) => count + size, 0)
        assert.equal(database.count, model.keys.size + entryCount, where)
      }
    }
  })

  it('does nothing of what it has no room for', () => {
    const clock = new FakeClock()
    const database = new RegistrationDatabase({ clock, countMax: 5 })
    const peer = newPeer(0, clock)
    database.addPeer(peer)
    database.register(peer, 't', 'c')
    assert.throws(() => database.register(peer, 'u', null), { name: 'DatabaseFullError' })
    assert.throws(() => database.createChannel('t', 'd'), { name: 'DatabaseFullError' })
    database.createTopic('u')
    assert.deepEqual([database.count, database.topics, database.channelsOf('t')], [5, ['t', 'u'], ['c']])
    database.removePeer(peer)
    database.createChannel('t', 'd')
    assert.deepEqual([database.count, database.channelsOf('t')], [4, ['c', 'd']])
  })

  it('holds names, and not what they came in', () => {
    const clock = new FakeClock()
    const database = new RegistrationDatabase({ clock, countMax: 100_000 })
    const peer = newPeer(0, clock)
    const before = heapBytes()
    for (let i = 0; i < 4_000; i++) {
      const line = Buffer.from(`REGISTER the-name-of-topic-${i} the-name-of-channel-${i}${' '.repeat(4_000)}`)
      const [, topic, channel] = parseCommandLine(line.toString('latin1'))
      database.register(peer, topic, channel)
    }
    const grownBytes = heapBytes() - before
    assert.equal(database.topics.length, 4_000)
    assert.ok(grownBytes < 8_000_000, `${grownBytes} bytes for 4,000 topics`)
  })
})

function heapBytes(): number {
  gc?.()
  return process.memoryUsage().heapUsed
}

function newPeer(index: number, clock: FakeClock): Peer {
  const rest = { topology_zone: '', topology_region: '' }
  return new Peer({ ...INFO, ...rest, remote_address: `127.0.0.1:${index}`, broadcast_address: String(index) }, clock)
}

/** All that the database shows, as the model has it. */
function keysOf(database: RegistrationDatabase, peers: readonly Peer[]): Record<string, number[]> {
  const keys: Record<string, number[]> = {}
  const indexes = (producers: Iterable<{ readonly peer: Peer }>): number[] =>
    Array.from(producers, ({ peer }) => peers.indexOf(peer)).sort()
  for (const topic of database.topics) keys[topicKey(topic)] = indexes(database.producersOf(topic))
  for (const topic of database.topicsWithChannels) {
    for (const channel of database.channelsOf(topic)) {
      keys[channelKey(topic, channel)] = indexes(database.channelProducersOf(topic, channel))
    }
  }
  for (const [index, peer] of peers.entries()) {
    const topics = TOPICS.filter((topic) => keys[topicKey(topic)]?.includes(index))
    assert.deepEqual(database.topicsOf(peer), topics)
  }
  return keys
}

function sorted({ keys }: Model): Record<string, number[]> {
  return Object.fromEntries(Array.from(keys, ([key, peers]) => [key, [...peers].sort()]))
}
