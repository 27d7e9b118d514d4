import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { LogOutput } from '../../../src/spillway/nodes/log-output.js'

const MIB = 1024 * 1024

describe('the log of several nodes', () => {
  const taken: string[] = []
  let takeNext: (() => void) | undefined
  let stream: Writable
  let log: LogOutput

  beforeEach(() => {
    taken.length = 0
    takeNext = undefined
    stream = new Writable({
      decodeStrings: false,
      write(text, _, done) {
        takeNext = () => {
          taken.push(text)
          done()
        }
      },
    })
    log = new LogOutput(stream, (count) => log.write(`${count} dropped\n`))
  })

  async function takeAll(): Promise<void> {
    while (stream.writableLength > 0) {
      takeNext?.()
      await new Promise(setImmediate)
    }
  }

  it('drops lines while its reader is slow, and says how many', async () => {
    const line = `${'x'.repeat(MIB - 1)}\n`
    for (let count = 0; count < 11; count++) log.write(line)
    assert.equal(stream.writableLength, 8 * MIB)
    await takeAll()
    log.write('next\n')
    await takeAll()
    assert.deepEqual(taken.slice(8), ['3 dropped\n', 'next\n'])
  })

  it('is waited for at the end, but not for ever', async () => {
    log.write('last\n')
    await log.flushed(1)
    assert.deepEqual(taken, [])
    let isFlushed = false
    const flushed = log.flushed(60_000).then(() => {
      isFlushed = true
    })
    while (!isFlushed) {
      takeNext?.()
      await new Promise(setImmediate)
    }
    await flushed
    assert.equal(taken[0], 'last\n')
  })

  it('needs no reader', async () => {
    stream.destroy(new Error('EPIPE'))
    log.write('a\n')
    await log.flushed(60_000)
  })
})
