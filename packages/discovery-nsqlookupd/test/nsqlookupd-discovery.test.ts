import assert from 'node:assert/strict'
import { DISCOVERY } from '@spillway/core'
import { FakeClock, SAMPLE_NODE_ADDRESS, TestLogger } from '@spillway/core/testing'
import plugin, { NsqlookupdDiscovery, type NsqlookupdOptions } from '../src/index.js'
import { NameLookups } from '../src/name-lookups.js'
import { SAMPLE_OPTIONS } from './support/sample-options.js'
import { ScriptedLookupd } from './support/scripted-lookupd.js'
import { turns, until } from './support/until.js'

describe('registration with nsqlookupd', () => {
  let clock: FakeClock
  let logger: TestLogger
  let lookupd: ScriptedLookupd
  let other: ScriptedLookupd
  let discovery: NsqlookupdDiscovery

  beforeEach(async () => {
    clock = new FakeClock()
    logger = new TestLogger()
    lookupd = new ScriptedLookupd()
    other = new ScriptedLookupd()
    await Promise.all([lookupd.start(), other.start()])
  })
  afterEach(async () => {
    await discovery.stop()
    await Promise.all([lookupd.stop(), other.stop()])
  })

  function make(options: Partial<NsqlookupdOptions> = {}): NsqlookupdDiscovery {
    const surroundings = { clock, logger, random: () => 0 }
    discovery = new NsqlookupdDiscovery(
      { ...SAMPLE_OPTIONS, tcpAddresses: [lookupd.address], ...options },
      surroundings,
    )
    return discovery
  }

  function start(options: Partial<NsqlookupdOptions> = {}): void {
    make(options).start(SAMPLE_NODE_ADDRESS)
  }

  const isRegistered = (): boolean => logger.messages('info').some((line) => line.endsWith('registered'))
  const commands = (): readonly string[] => lookupd.connections.at(-1)?.commands ?? []

  function setAddresses(addresses: readonly string[]): void {
    const [setting] = discovery.settings
    setting.set?.(JSON.stringify(addresses))
    assert.deepEqual(setting.get(), addresses)
  }

  it('says who this node is in the words and the order of nsqd', async () => {
    const node = { ...SAMPLE_NODE_ADDRESS, broadcastAddress: 'b.test', topologyRegion: 'r', topologyZone: 'z' }
    make().start(node)
    await until(isRegistered)
    assert.equal(lookupd.last.magic, '  V1')
    assert.equal(
      lookupd.last.identity,
      '{"broadcast_address":"b.test","hostname":"here","http_port":4151,"tcp_port":4150,"topology_region":"r",' +
        '"topology_zone":"z","version":"1.3.0"}',
    )
  })

  it('begins with what there is, in order: the channels of a topic, or the topic where it has none', async () => {
    start()
    discovery.topicCreated('b')
    discovery.topicCreated('a')
    discovery.channelCreated('a', 'two')
    discovery.channelCreated('a', 'one#ephemeral')
    await until(isRegistered)
    assert.deepEqual(commands(), ['REGISTER b', 'REGISTER a two', 'REGISTER a one#ephemeral'])
  })

  it('goes on with a line for each event, and none for what it has told', async () => {
    start()
    await until(isRegistered)
    discovery.topicCreated('t')
    discovery.channelCreated('t', 'c')
    discovery.channelCreated('t', 'd')
    discovery.topicCreated('t')
    discovery.channelCreated('t', 'c')
    discovery.channelDeleted('t', 'd')
    discovery.channelDeleted('t', 'd')
    discovery.topicDeleted('t')
    discovery.channelDeleted('t', 'c')
    const expected = ['REGISTER t', 'REGISTER t c', 'REGISTER t d', 'UNREGISTER t d', 'UNREGISTER t', 'UNREGISTER t c']
    await until(() => commands().length >= expected.length)
    assert.deepEqual(commands(), expected)
  })

  it('pings every 15 seconds', async () => {
    start()
    await until(isRegistered)
    for (const count of [1, 2, 3]) {
      clock.advance(14_999)
      await clock.settle()
      assert.equal(commands().length, count - 1)
      clock.advance(1)
      await until(() => commands().length === count)
      // The answer is read before time goes on, or it would come too late.
      await clock.settle()
      await until(() => clock.timerCount === 1)
    }
    assert.deepEqual(commands(), ['PING', 'PING', 'PING'])
    assert.equal(lookupd.connections.length, 1)
  })

  it('keeps no more than 256 commands without an answer, and tells what happens meanwhile once', async () => {
    let answers: (() => void)[] = []
    lookupd.onCommand = (command, connection) => {
      if (command === 'IDENTIFY') return lookupd.goodAnswer(command)
      answers.push(() => connection.answer('OK'))
      return null
    }
    start()
    const topics = Array.from({ length: 1_000 }, (_, at) => `t${at}`)
    for (const topic of topics) discovery.topicCreated(topic)
    await until(() => commands().length === 256)
    discovery.topicDeleted('t0') // it was told
    discovery.topicDeleted('t999') // it was not
    discovery.channelCreated('t998', 'c') // will be told with its topic
    discovery.channelCreated('t1', 'c') // must be told apart
    discovery.topicCreated('t999') // will be told in its place
    await clock.settle()
    assert.equal(commands().length, 256)
    while (!isRegistered()) {
      for (const answer of answers.splice(0)) answer()
      await until(() => answers.length > 0 || isRegistered())
      assert.ok(answers.length <= 256, String(answers.length))
    }
    answers = []
    assert.deepEqual(commands(), [
      ...topics.slice(0, 256).map((topic) => `REGISTER ${topic}`),
      'UNREGISTER t0',
      'REGISTER t1 c',
      ...topics.slice(256, 998).map((topic) => `REGISTER ${topic}`),
      'REGISTER t998 c',
      'REGISTER t999',
    ])
  })

  it('tells one that is too slow for all the changes everything again, over a new connection', async () => {
    start()
    await until(isRegistered)
    lookupd.onCommand = () => null
    discovery.topicCreated('stays')
    for (let at = 0; at < 6_000; at++) {
      discovery.topicCreated('flickers')
      discovery.topicDeleted('flickers')
    }
    lookupd.onCommand = (command) => lookupd.goodAnswer(command)
    await until(() => lookupd.last.isClosed)
    await clock.advanceAsync(1_000)
    await until(() => lookupd.connections.length === 2 && commands().length > 0)
    assert.deepEqual(commands(), ['REGISTER stays'])
  })

  it('tells what there is when a connection was lost, and not what happened meanwhile', async () => {
    start()
    discovery.topicCreated('old')
    discovery.topicCreated('gone')
    await until(isRegistered)
    lookupd.last.socket.destroy()
    await until(() => logger.messages('warn').length === 1)
    discovery.topicDeleted('gone')
    discovery.topicCreated('new')
    discovery.channelCreated('new', 'c')
    discovery.channelDeleted('new', 'c')
    await clock.advanceAsync(1_000)
    await until(() => lookupd.connections.length === 2 && commands().length === 2)
    assert.deepEqual(commands(), ['REGISTER old', 'REGISTER new'])
    await until(() => logger.messages('info').length === 2)
  })

  it('tries again and again, and says once that it fails and once that it works', async () => {
    lookupd.onConnection = ({ socket }) => void socket.destroy()
    start()
    // Each time goes on to whatever is due next: connecting again, or giving up to.
    const goOnUntil = async (isSo: () => boolean): Promise<void> => {
      for (let tries = 0; tries < 100 && !isSo(); tries++) {
        await turns(clock)
        if (!isSo()) clock.advance(clock.nextTimerMs - clock.monotonicMs())
      }
      assert.ok(isSo())
    }
    await goOnUntil(() => lookupd.connections.length === 6)
    lookupd.onConnection = () => {}
    await goOnUntil(isRegistered)
    assert.deepEqual(
      logger.lines.map(({ level }) => level),
      ['warn', 'info'],
    )
  })

  describe('an nsqlookupd that', () => {
    const faults: Readonly<Record<string, { readonly answer: string | Buffer | null; readonly reason: RegExp }>> = {
      'is silent': { answer: null, reason: /^no answer within 1000 ms$/ },
      'answers half': { answer: Buffer.from([0, 0, 0, 20, 1, 2]), reason: /^no answer within 1000 ms$/ },
      'is something else': { answer: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), reason: /^that is an HTTP port/ },
      'sends a negative length': {
        answer: Buffer.from([255, 255, 255, 255]),
        reason: /^it sent an answer of -1 bytes/,
      },
      'answers more than anybody reads': { answer: Buffer.from([0, 1, 0, 1]), reason: /answer of 65537 bytes/ },
      'answers no JSON': { answer: 'OK', reason: /^it answered "OK"$/ },
      'answers null': { answer: 'null', reason: /^it answered "null"$/ },
      'does not want the node': { answer: 'E_BAD_BODY IDENTIFY missing fields', reason: /missing fields"$/ },
    }
    for (const [title, { answer, reason }] of Object.entries(faults)) {
      it(`${title} is left, and tried again`, async () => {
        lookupd.onCommand = () => answer
        start()
        discovery.topicCreated('t')
        await until(() => lookupd.last?.identity.length > 0)
        await turns(clock)
        if (reason.source.includes('within')) clock.advance(1_000)
        await until(() => logger.messages('warn').length === 1)
        assert.match(String(logger.lines[0].fields.error), reason)
        await until(() => lookupd.last.isClosed)
        lookupd.onCommand = (command) => lookupd.goodAnswer(command)
        clock.advance(1_000)
        await until(isRegistered)
        assert.deepEqual(commands(), ['REGISTER t'])
        assert.equal(logger.lines.length, 2)
      })
    }

    it('is silent later is left as well', async () => {
      start()
      await until(isRegistered)
      lookupd.onCommand = () => null
      discovery.topicCreated('t')
      await until(() => commands().length === 1)
      clock.advance(1_000)
      await until(() => lookupd.last.isClosed)
      assert.equal(logger.messages('warn').length, 1)
    })

    it('says an error later is left as well', async () => {
      start()
      await until(isRegistered)
      lookupd.onCommand = () => 'E_INVALID no'
      discovery.topicCreated('t')
      await until(() => lookupd.last.isClosed)
      assert.match(String(logger.lines.at(-1)?.fields.error), /^it answered "E_INVALID no"$/)
    })

    it('answers what it was not asked is left', async () => {
      start()
      await until(isRegistered)
      lookupd.last.answer('OK')
      await until(() => lookupd.last.isClosed)
      assert.match(String(logger.lines.at(-1)?.fields.error), /not asked/)
    })

    it('sends its answers in pieces is understood', async () => {
      lookupd.onCommand = (command, connection) => {
        const answer = lookupd.goodAnswer(command)
        for (const byte of Buffer.concat([Buffer.from([0, 0, 0, answer.length]), Buffer.from(answer)])) {
          connection.socket.write(Buffer.of(byte))
        }
        return null
      }
      start()
      discovery.topicCreated('t')
      await until(isRegistered)
      assert.deepEqual(commands(), ['REGISTER t'])
    })

    it('goes in the middle of it all is told again', async () => {
      lookupd.onCommand = (command, connection) => {
        if (command === 'REGISTER t100') connection.socket.destroy()
        return lookupd.goodAnswer(command)
      }
      start()
      for (let at = 0; at < 300; at++) discovery.topicCreated(`t${at}`)
      await until(() => logger.messages('warn').length === 1)
      lookupd.onCommand = (command) => lookupd.goodAnswer(command)
      clock.advance(1_000)
      await until(isRegistered)
      assert.equal(commands().length, 300)
    })

    it('is not there does not keep the others from being told', async () => {
      await other.stop()
      start({ tcpAddresses: [other.address, lookupd.address] })
      discovery.topicCreated('t')
      await until(isRegistered)
      assert.deepEqual(commands(), ['REGISTER t'])
    })

    it('cannot be found is tried again', async () => {
      let lookupCount = 0
      const names = new NameLookups((host, _options, done) => {
        lookupCount++
        done(new Error(`no such host ${host}`), '', 0)
      })
      const options = { ...SAMPLE_OPTIONS, tcpAddresses: ['here.test:4160'] }
      discovery = new NsqlookupdDiscovery(options, { clock, logger, random: () => 0 }, names)
      discovery.start(SAMPLE_NODE_ADDRESS)
      await until(() => logger.messages('warn').length === 1)
      assert.match(String(logger.lines[0].fields.error), /no such host here\.test/)
      clock.advance(1_000)
      assert.equal(lookupCount, 2)
    })
  })

  describe('addresses that change while the node runs', () => {
    it('close those that are gone, connect to those that are new, and leave the others alone', async () => {
      const third = new ScriptedLookupd()
      await third.start()
      try {
        start({ tcpAddresses: [lookupd.address, other.address] })
        discovery.topicCreated('t')
        await until(() => lookupd.openCount === 1 && other.openCount === 1)
        setAddresses([other.address, third.address])
        await until(() => lookupd.openCount === 0 && third.connections.at(-1)?.commands.length === 1)
        assert.deepEqual(third.last.commands, ['REGISTER t'])
        assert.equal(other.connections.length, 1)
        assert.equal(other.openCount, 1)
        setAddresses([])
        await until(() => other.openCount === 0 && third.openCount === 0)
        assert.equal(clock.timerCount, 0)
      } finally {
        await third.stop()
      }
    })

    it('count although they were set before the start', async () => {
      make()
      setAddresses([other.address])
      discovery.start(SAMPLE_NODE_ADDRESS)
      await until(isRegistered)
      assert.equal(lookupd.connections.length, 0)
      assert.equal(other.connections.length, 1)
    })

    it('may be none, twice the same, or nonsense, which the log tells', async () => {
      start()
      setAddresses([lookupd.address, '', 'here', lookupd.address, 'here:0'])
      await until(isRegistered)
      assert.equal(lookupd.connections.length, 1)
      assert.equal(logger.messages('warn').length, 3)
      const [setting] = discovery.settings
      setting.set?.('[null]')
      assert.deepEqual(setting.get(), [''])
      setting.set?.('null')
      assert.equal(setting.get(), null)
      for (const text of ['[1]', '{}', '[', '"a"', '']) {
        assert.throws(() => setting.set?.(text), { code: 'E_INVALID_OPTION' }, text)
      }
      assert.equal(setting.get(), null)
      await until(() => lookupd.openCount === 0)
    })
  })

  it('ends with the connection, and nothing is told any more', async () => {
    start()
    discovery.topicCreated('t')
    await until(isRegistered)
    await discovery.stop()
    discovery.topicDeleted('t')
    setAddresses([other.address])
    await until(() => lookupd.last.isClosed)
    assert.deepEqual(commands(), ['REGISTER t'])
    assert.equal(other.connections.length, 0)
  })

  it('is a plugin that provides a discovery', () => {
    make()
    assert.equal(plugin.provides, DISCOVERY)
  })
})
