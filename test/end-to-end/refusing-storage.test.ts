import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RawClient } from '../support/raw-client.js'
import { REFUSAL, REFUSE_FILE } from '../support/refusing-storage.js'
import { type RunningBroker, startBroker } from '../support/start-broker.js'

const STORAGE = fileURLToPath(new URL('../support/refusing-storage.js', import.meta.url))

describe('a storage that refuses', () => {
  let broker: RunningBroker

  beforeEach(async () => {
    broker = await startBroker({ flags: [`--storage=${STORAGE}`] })
  })
  afterEach(async () => {
    await broker.stop()
  })

  const refuse = (): void => writeFileSync(join(broker.directory, REFUSE_FILE), '')

  it('makes every publish fail with the reason, until it takes messages again', async () => {
    refuse()
    const mpubBody = Buffer.from('\0\0\0\x01\0\0\0\x01x', 'latin1')
    for (const [command, line, body] of [
      ['PUB', 'PUB t', 'x'],
      ['MPUB', 'MPUB t', mpubBody],
      ['DPUB', 'DPUB t 1000', 'x'],
    ] as const) {
      const client = await RawClient.connect(broker.tcp)
      client.send(line, body)
      const frame = await client.frame()
      assert.deepEqual(frame, { type: 'error', text: `E_${command}_FAILED ${command} failed ${REFUSAL}` })
      client.close()
    }
    for (const [path, body] of [
      ['/pub?topic=t', 'x'],
      ['/pub?topic=t&defer=1000', 'x'],
      ['/mpub?topic=t', 'x\ny'],
      ['/mpub?topic=t&binary=true', mpubBody],
      ['/pub?topic=t', Buffer.alloc(500_000)],
    ] as const) {
      const { status, text } = await broker.http.post(path, body)
      assert.deepEqual([status, text], [503, '{"message":"FULL"}'], path)
    }
    rmSync(join(broker.directory, REFUSE_FILE))
    assert.equal((await broker.http.post('/pub?topic=t', 'x')).text, 'OK')
    assert.equal((await broker.http.topicStats('t'))?.depth, 1)
  })

  it('is what /ping and /stats tell about', async () => {
    assert.deepEqual(await pinged(), [200, 'OK'])
    refuse()
    assert.deepEqual(await pinged(), [500, `NOK - storage: ${REFUSAL}`])
    assert.equal(JSON.parse((await broker.http.get('/stats?format=json')).text).health, `storage: ${REFUSAL}`)
    rmSync(join(broker.directory, REFUSE_FILE))
    assert.deepEqual(await pinged(), [200, 'OK'])
  })

  it('lets consumers go on', async () => {
    for (const body of ['a', 'b']) await broker.http.post('/pub?topic=t', body)
    refuse()
    const consumer = await RawClient.connect(broker.tcp)
    assert.equal(await consumer.ask('SUB t c'), 'OK')
    consumer.send('RDY 1')
    for (const body of ['a', 'b']) {
      const message = await consumer.message()
      assert.equal(message.body.toString(), body)
      consumer.send(`FIN ${message.id}`)
    }
    consumer.close()
  })

  async function pinged(): Promise<[number, string]> {
    const { status, text } = await broker.http.get('/ping')
    return [status, text]
  }
})
