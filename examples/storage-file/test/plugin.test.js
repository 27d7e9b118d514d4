import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configFromValue, loadConfig, SpillwayNode } from '@spillway/core/node'
import { TestLogger } from '@spillway/core/testing'

const here = fileURLToPath(new URL('..', import.meta.url))
const BODY_AT = 34

describe('storage-file as a plugin', () => {
  let dataPath
  let node

  beforeEach(() => {
    dataPath = mkdtempSync(join(tmpdir(), 'storage-file-'))
  })

  afterEach(async () => {
    await node?.stop()
    node = undefined
    rmSync(dataPath, { recursive: true })
  })

  /** Starts a broker without listeners, whose storage is named by its path relative to the configuration. */
  async function start(options = {}) {
    const value = { node: { dataPath }, storage: { use: './index.js', options }, transports: [] }
    const config = await loadConfig(configFromValue(value, 'spillway.json', here))
    node = new SpillwayNode(config, { logger: new TestLogger() })
    await node.start()
    return node.broker
  }

  it('keeps a message over a restart of the broker', async () => {
    const topic = (await start()).openTopic('test')
    await topic.openChannel('archive')
    await publish(topic, 'hello')
    await node.stop()
    assert.equal(await consumeOne(await start(), 'test', 'archive'), 'hello')
  })

  it('refuses an option that it does not have', async () => {
    await assert.rejects(start({ pth: 'x' }), { message: /\/storage\/options\/pth/ })
  })
})

function publish(topic, text) {
  const message = Buffer.alloc(4 + text.length)
  message.writeInt32BE(text.length)
  message.write(text, 4)
  return new Promise((resolve, reject) => {
    const waiter = { published: resolve, publishFailed: (_token, error) => reject(error) }
    topic.publish(message, 0, message.length, 1, waiter, 1)
  })
}

function consumeOne(broker, topic, channel) {
  return new Promise((resolve, reject) => {
    const sink = {
      writableBytes: 1_000_000,
      write: (frames, start, end) => resolve(Buffer.from(frames.subarray(start + BODY_AT, end)).toString()),
      disconnect: () => reject(new Error('disconnected')),
    }
    const client = { stats: () => ({}) }
    broker
      .subscribe(topic, channel, { msgTimeoutMs: 60_000, sampleRate: 0, sink, client })
      .then((subscription) => subscription.setReady(1), reject)
  })
}
