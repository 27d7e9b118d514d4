import assert from 'node:assert/strict'
import { TestLookupd } from './support/test-lookupd.js'
import type { V1Client } from './support/v1-client.js'

describe('time', () => {
  let test: TestLookupd
  let nsqd: V1Client

  beforeEach(async () => {
    test = await TestLookupd.start({ inactiveProducerTimeoutMs: 5_000, tombstoneLifetimeMs: 1_000 })
    nsqd = await test.connect()
    await nsqd.ask('REGISTER t c\n')
  })
  afterEach(() => test.stop())

  const countAt = async (path: string): Promise<number> =>
    (await test.show<{ producers: unknown[] }>(path)).producers.length
  const shown = async () => [await countAt('/lookup?topic=t'), await countAt('/nodes')]

  it('hides an nsqd that says nothing for longer than the timeout, and shows it again as soon as it pings', async () => {
    test.clock.advance(5_000)
    assert.deepEqual(await shown(), [1, 1])
    test.clock.advance(1)
    assert.deepEqual(await shown(), [0, 0])
    assert.deepEqual(await test.show('/lookup?topic=t'), { channels: ['c'], producers: [] })
    assert.equal(await nsqd.ask('PING\n'), 'OK')
    assert.deepEqual(await shown(), [1, 1])
  })

  it('counts PING and IDENTIFY, and no other command', async () => {
    test.clock.advance(4_000)
    await nsqd.ask('REGISTER u\n')
    test.clock.advance(1_001)
    assert.deepEqual(await shown(), [0, 0])
  })

  it('takes a step of the wall clock for nothing', async () => {
    test.clock.setWallMs(test.clock.wallMs() + 1_000_000)
    assert.deepEqual(await shown(), [1, 1])
  })

  it('ends a tombstone after its lifetime', async () => {
    await test.post('/topic/tombstone?topic=t&node=one.test:4151')
    test.clock.advance(999)
    assert.deepEqual(await shown(), [0, 1])
    test.clock.advance(1)
    assert.deepEqual(await shown(), [1, 1])
  })

  it('ends a tombstone with the connection, and with the registration', async () => {
    await test.post('/topic/tombstone?topic=t&node=one.test:4151')
    await nsqd.ask('UNREGISTER t\n')
    await nsqd.ask('REGISTER t\n')
    assert.deepEqual(await shown(), [1, 1])
    await test.post('/topic/tombstone?topic=t&node=one.test:4151')
    const again = await test.connect()
    await again.ask('REGISTER t\n')
    assert.deepEqual(await shown(), [1, 2])
  })

  it('does not bring back with a tombstone that is over what was unregistered meanwhile', async () => {
    await test.post('/topic/tombstone?topic=t&node=one.test:4151')
    await nsqd.ask('UNREGISTER t\n')
    test.clock.advance(1_000)
    assert.deepEqual(await shown(), [0, 1])
  })
})
