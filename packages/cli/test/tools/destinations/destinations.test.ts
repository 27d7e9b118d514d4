import assert from 'node:assert/strict'
import { Destinations } from '../../../src/tools/destinations/destinations.js'
import { RoundRobin } from '../../../src/tools/destinations/round-robin.js'
import { Timings } from '../../../src/tools/destinations/timings.js'

describe('destinations', () => {
  it('get messages as they are chosen, and an error says which one it was', async () => {
    const destinations = new Destinations(
      ['a:1', 'b:1'],
      new RoundRobin(2),
      () => 0,
      0,
      () => {},
    )
    const sent: number[] = []
    const send = async (index: number): Promise<void> => {
      sent.push(index)
      if (index === 1) throw new Error('refused')
    }
    await destinations.send(send)
    await assert.rejects(destinations.send(send), { message: 'b:1: refused' })
    assert.deepEqual(sent, [0, 1])
  })

  it('tell what came of a message to who chooses', async () => {
    let nowMs = 0
    const told: unknown[] = []
    const chooser = {
      next: () => 0,
      succeeded: (index: number, tookMs: number) => told.push(['succeeded', index, tookMs]),
      failed: (index: number) => told.push(['failed', index]),
    }
    const destinations = new Destinations(
      ['a:1'],
      chooser,
      () => nowMs,
      0,
      () => {},
    )
    await destinations.send(async () => {
      nowMs += 7
    })
    await destinations.send(() => Promise.reject(new Error('no'))).catch(() => {})
    assert.deepEqual(told, [
      ['succeeded', 0, 7],
      ['failed', 0],
    ])
  })

  it('tell after so many messages how long they took: each when there are several, and all', async () => {
    const lines: string[] = []
    const send = async (): Promise<void> => {}
    const several = new Destinations(
      ['a:1', 'b:1'],
      new RoundRobin(2),
      () => 0,
      2,
      (line) => lines.push(line),
    )
    for (let count = 0; count < 4; count++) await several.send(send)
    assert.deepEqual(
      lines.map((line) => line.split(':')[0]),
      ['[aggregate]', '[a', '[b', '[aggregate]'],
    )
    lines.length = 0
    const one = new Destinations(
      ['a:1'],
      new RoundRobin(1),
      () => 0,
      2,
      (line) => lines.push(line),
    )
    for (let count = 0; count < 2; count++) await one.send(send)
    assert.deepEqual(lines, ['[aggregate]: finished 2 - 99th: 0.00ms - 95th: 0.00ms - avg: 0.00ms'])
  })
})

describe('timings', () => {
  it('are told as percentiles and their average, of the last ones only', () => {
    const lines: string[] = []
    const timings = new Timings('x', 100, (line) => lines.push(line))
    for (let round = 0; round < 2; round++) for (let ms = 1; ms <= 100; ms++) timings.add(round * 1_000 + ms)
    assert.deepEqual(lines, [
      'x: finished 100 - 99th: 99.00ms - 95th: 95.00ms - avg: 50.50ms',
      'x: finished 100 - 99th: 1099.00ms - 95th: 1095.00ms - avg: 1050.50ms',
    ])
  })

  it('are not told when nobody asks', () => {
    const timings = new Timings('x', 0, () => assert.fail('told'))
    for (let count = 0; count < 10; count++) timings.add(1)
  })
})
