import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TestLookupd } from './support/test-lookupd.js'

const LISTEN_AND_DIE =
  "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))"

describe('registrations with a data path', () => {
  let folder = ''
  let path = ''

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'spillway-lookupd-'))
    path = join(folder, 'nsqlookupd.json')
  })
  afterEach(() => rm(folder, { recursive: true }))

  const start = (options = {}) => TestLookupd.start({ dataPath: folder, ...options })

  /** Waits for what a timer has begun to write. */
  async function written(isThere: (text: string) => boolean): Promise<void> {
    for (;;) {
      const text = await readFile(path, 'utf8').catch(() => '')
      if (isThere(text)) return
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  it('outlive a restart: topics and channels, not those that are ephemeral, and no producers', async () => {
    const first = await start()
    const nsqd = await first.connect()
    for (const line of [
      'REGISTER t c\n',
      'REGISTER t d#ephemeral\n',
      'REGISTER u#ephemeral c\n',
      'REGISTER __proto__ c\n',
    ])
      await nsqd.ask(line)
    await first.post('/channel/create?topic=lone&channel=c')
    await first.post('/topic/create?topic=empty')
    await first.stop()

    const second = await start()
    assert.deepEqual(await second.show('/topics'), { topics: ['__proto__', 'empty', 'lone', 't'] })
    assert.deepEqual(await second.show('/lookup?topic=t'), { channels: ['c'], producers: [] })
    assert.deepEqual(await second.show('/channels?topic=__proto__'), { channels: ['c'] })
    await second.post('/topic/delete?topic=t')
    await second.stop()

    const third = await start()
    assert.deepEqual(await third.show('/topics'), { topics: ['__proto__', 'empty', 'lone'] })
    await third.stop()
    assert.deepEqual(await readdir(folder), ['nsqlookupd.json'])
  })

  it('are written within a second, all changes at once', async () => {
    const test = await start()
    await test.post('/topic/create?topic=t')
    test.clock.advance(500)
    await test.post('/topic/create?topic=u')
    assert.deepEqual(await readdir(folder), ['nsqlookupd.lock'])
    test.clock.advance(500)
    await written((text) => text.includes('"u"'))
    assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), { format: 1, topics: ['t', 'u'], channels: {} })
    await test.stop()
  })

  it('are set aside when they cannot be understood, which is said once: the start after that is a good one', async () => {
    for (const text of [
      '',
      '{"format":1,"topics":["t"',
      '[]',
      'null',
      '{"format":2,"topics":[],"channels":{}}',
      '{"format":1,"topics":["*"],"channels":{}}',
      '{"format":1,"topics":["t"],"channels":{"t":"c"}}',
      '{"format":1,"topics":["t"],"channels":{"no name":[]}}',
      '{"format":1,"channels":{}}',
      '{"format":1,"topics":[]}',
    ]) {
      await writeFile(path, text)
      const test = await start()
      const [line, ...others] = test.logger.messages('error')
      assert.match(line, /nsqlookupd\.json cannot be understood: .+; it is now .+\.broken, and no registrations/, text)
      assert.deepEqual(others, [])
      assert.deepEqual(await test.show('/topics'), { topics: [] })
      await test.post('/topic/create?topic=new')
      await test.stop()
      assert.equal(await readFile(`${path}.broken`, 'utf8'), text)

      const again = await start()
      assert.deepEqual([again.logger.messages('error'), await again.show('/topics')], [[], { topics: ['new'] }])
      await again.stop()
      await rm(path)
    }
  })

  it('are refused at the start where the folder is missing, or the file cannot be read', async () => {
    const missing = new TestLookupd({ dataPath: join(folder, 'none') })
    await assert.rejects(missing.lookupd.start(), {
      code: 'E_STORAGE_IO',
      message: /none: no such folder; make it first/,
    })
    await mkdir(path)
    await assert.rejects(start(), { code: 'E_STORAGE_IO', message: /EISDIR/ })
  })

  it('are those of one nsqlookupd at a time, however that ends', async () => {
    const first = await start()
    const second = new TestLookupd({ dataPath: folder })
    await assert.rejects(second.lookupd.start(), { code: 'E_STORAGE_LOCKED', message: /in use by another nsqlookupd/ })
    await first.post('/topic/create?topic=t')
    await first.stop()
    const killed = spawnSync(process.execPath, ['-e', LISTEN_AND_DIE, join(folder, 'nsqlookupd.lock')])
    assert.equal(killed.signal, 'SIGKILL')
    assert.deepEqual(await readdir(folder), ['nsqlookupd.json', 'nsqlookupd.lock'])
    const third = await start()
    assert.deepEqual(await third.show('/topics'), { topics: ['t'] })
    await third.stop()
  })

  it('are kept without a lock where there can be none, which is said', async () => {
    const deep = join(folder, 'd'.repeat(120))
    await mkdir(deep)
    const test = await start({ dataPath: deep })
    assert.match(test.logger.messages('warn')[0], /cannot be locked: see that no other nsqlookupd uses it/)
    await test.post('/topic/create?topic=t')
    await test.stop()
    assert.match(await readFile(join(deep, 'nsqlookupd.json'), 'utf8'), /"t"/)
    assert.deepEqual(await readdir(folder), ['d'.repeat(120)])
  })

  it('are refused at the start where they are too many', async () => {
    await writeFile(path, '{"format":1,"topics":["t","u"],"channels":{}}')
    await assert.rejects(start({ registrationCountMax: 1 }), { message: /what was kept is more than 1 registrations/ })
    assert.match(await readFile(path, 'utf8'), /"u"/)
  })

  it('are tried again after a write that failed, which is said', async () => {
    const test = await start()
    await mkdir(`${path}.partial`) // where the file would be written first
    await test.post('/topic/create?topic=t')
    test.clock.advance(1_000)
    while (test.logger.messages('error').length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.match(test.logger.messages('error')[0], /^registrations are not kept: EISDIR/)
    await rm(`${path}.partial`, { recursive: true })
    test.clock.advance(10_000)
    await written((text) => text.includes('"t"'))
    await test.stop()
  })
})
