import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  TopicWriter,
  type TopicWriterOptions,
  type WritableMessage,
} from '../../../src/tools/nsq-to-file/topic-writer.js'
import { FileFixture } from './file-fixture.js'

describe('the writer of a topic', () => {
  let finished: string[] = []
  let isStarved = false
  let syncCount = 0
  let failures: string[] = []
  const writers: TopicWriter[] = []

  afterEach(async () => {
    for (const writer of writers.splice(0)) {
      writer.end()
      await writer.close()
    }
  })

  // Behind the hook above: its folder goes last.
  const fixture = new FileFixture()

  beforeEach(() => {
    finished = []
    isStarved = false
    syncCount = 0
    failures = []
  })

  function message(text: string): WritableMessage & { isOver: boolean } {
    const body = Buffer.from(text)
    return {
      isOver: false,
      bodySizeBytes: body.length,
      copyBody: (target, at) => at + body.copy(target, at),
      finish() {
        finished.push(text)
        return true
      },
      forgetIfOver() {
        return this.isOver
      },
    }
  }

  function started(
    options: Partial<TopicWriterOptions> = {},
    ofFiles: Parameters<FileFixture['series']>[0] = {},
  ): { writer: TopicWriter; take(...texts: string[]): Promise<void>; settled(): Promise<void> } {
    const files = fixture.series(ofFiles)
    const sync = files.sync.bind(files)
    files.sync = () => {
      syncCount++
      return sync()
    }
    const writer = new TopicWriter({
      files,
      maxInFlight: 10,
      syncIntervalMs: 1_000,
      skipsEmptyFiles: true,
      isStarved: () => isStarved,
      clock: fixture.clock,
      logger: fixture.logger,
      failed: (error) => failures.push(error.message),
      ...options,
    })
    writer.start()
    writers.push(writer)
    return {
      writer,
      async take(...texts) {
        for (const text of texts) writer.take(message(text))
        await writer.idle()
      },
      settled: () => writer.idle(),
    }
  }

  const letters = (count: number): string[] => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i))
  const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('')

  it('writes at once, and finishes nothing before it is synced', async () => {
    const { take, settled, writer } = started()
    await take('a', 'b')
    assert.deepEqual([fixture.files(), finished, syncCount], [{ 't.04.log': 'a\nb\n' }, [], 0])
    fixture.clock.advance(1_000)
    await settled()
    assert.deepEqual([finished, syncCount, writer.syncedCount], [['a', 'b'], 1, 2])
  })

  it('syncs once for all that max-in-flight allows', async () => {
    const { take } = started({ maxInFlight: 4 })
    await take(...letters(9))
    assert.deepEqual([finished, syncCount], [letters(8), 2])
    assert.deepEqual(fixture.files(), { 't.04.log': lines(letters(9)) })
  })

  it('syncs when little more would come before', async () => {
    const { take } = started()
    isStarved = true
    await take('a', 'b')
    assert.deepEqual([finished, syncCount], [['a', 'b'], 1])
  })

  it('syncs before the next file', async () => {
    const { take } = started({}, { rotateSizeBytes: 3 })
    await take('a', 'b', 'c', 'd', 'e')
    assert.deepEqual(fixture.files(), {
      't-000000.04.log': 'a\nb\n',
      't-000001.04.log': 'c\nd\n',
      't-000002.04.log': 'e\n',
    })
    assert.deepEqual(finished, ['a', 'b', 'c', 'd'])
  })

  it('syncs and closes at a hang-up, and goes on, with a work folder too', async () => {
    const { take, writer, settled } = started({}, { workFolder: join(fixture.folder, 'work') })
    await take('a')
    writer.hangUp()
    await settled()
    assert.deepEqual([finished, fixture.files()], [['a'], { 't-000000.04.log': 'a\n' }])
    await take('b')
    writer.hangUp()
    await settled()
    assert.deepEqual(fixture.files(), { 't-000000.04.log': 'a\n', 't-000001.04.log': 'b\n' })
  })

  it('syncs all at the end, and closes', async () => {
    const { take, writer } = started()
    await take('a')
    writer.take(message('b'))
    writer.end()
    await writer.close()
    assert.deepEqual([finished, fixture.files()], [['a', 'b'], { 't.04.log': 'a\nb\n' }])
    assert.equal(fixture.clock.timerCount, 0)
  })

  it('opens a file at each tick, unless empty ones are skipped', async () => {
    const { settled } = started({ skipsEmptyFiles: false })
    fixture.clock.advance(1_000)
    await settled()
    assert.deepEqual(fixture.files(), { 't.04.log': '' })
    fixture.clock.advance(60_000)
    await settled()
    assert.deepEqual(fixture.files(), { 't.04.log': '', 't.05.log': '' })
  })

  it('closes at a tick the file whose time is over, when empty ones are skipped', async () => {
    const { take, settled } = started({}, { workFolder: join(fixture.folder, 'work') })
    await take('a')
    fixture.clock.advance(61_000)
    await settled()
    assert.deepEqual([fixture.files(), fixture.files('work')], [{ 't-000000.04.log': 'a\n' }, {}])
    await take('b')
    assert.deepEqual(fixture.files('work'), { 't-000000.05.log': 'b\n' })
  })

  it('lets go of what has waited too long while nothing can be written', async () => {
    const { writer, settled } = started({ maxInFlight: 3 })
    const late = ['a', 'b', 'c'].map(message)
    for (const each of late) writer.take(each)
    for (const each of late) each.isOver = true
    writer.take(message('d'))
    assert.equal(writer.waitingCount, 1)
    await settled()
    assert.deepEqual(fixture.files(), { 't.04.log': 'd\n' })
  })

  it('says what failed, once, and finishes nothing more', async () => {
    const { take, writer, settled } = started({}, { workFolder: join(fixture.folder, 'work') })
    await take('a')
    rmSync(join(fixture.folder, 'work'), { recursive: true })
    writer.hangUp()
    await settled()
    assert.equal(failures.length, 1)
    assert.match(failures[0], /^cannot move /)
    await take('b')
    fixture.clock.advance(1_000)
    await settled()
    assert.deepEqual([finished, failures.length], [['a'], 1])
  })
})
