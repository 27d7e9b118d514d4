import assert from 'node:assert/strict'
import { randomBelow, seededRandom } from '@spillway/core/testing'
import { PendingValues } from '../src/pending-values.js'
import { decodeValueList, encodeValueList, type ValueWrite } from '../src/value-list.js'

const key = (text: string): Buffer => Buffer.from(text, 'latin1')

describe('PendingValues', () => {
  it('gives back what was written last, null for what is forgotten, nothing for what it never heard of', () => {
    const values = new PendingValues()
    values.apply({ key: key('a'), value: key('1') })
    values.apply({ key: key('a'), value: key('2') })
    values.apply({ key: key('b'), value: null })
    assert.deepEqual(values.get(key('a')), key('2'))
    assert.equal(values.get(key('b')), null)
    assert.equal(values.get(key('c')), undefined)
  })

  it('forgets all that begins with a prefix, and keeps what is written there afterwards', () => {
    const values = new PendingValues()
    values.apply({ key: key('p1'), value: key('old') })
    values.apply({ key: key('p'), value: 'prefix' })
    values.apply({ key: key('p2'), value: key('new') })
    assert.equal(values.get(key('p1')), null)
    assert.equal(values.get(key('p3')), null)
    assert.deepEqual(values.get(key('p2')), key('new'))
    assert.equal(values.get(key('q')), undefined)
  })

  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  it(`over what RocksDB has is what RocksDB will have (SEED=${seed})`, () => {
    const random = seededRandom(seed)
    const letters = ['a', 'b', '\xff', '\xfe']
    const letter = (): string => letters[randomBelow(random, letters.length)]
    const someKey = (): string => letter() + letter() + (random() < 0.5 ? letter() : '')
    const write = (): ValueWrite => {
      if (random() < 0.15) return { key: key(someKey().slice(0, 2)), value: 'prefix' }
      return { key: key(someKey()), value: random() < 0.3 ? null : key(String(randomBelow(random, 1000))) }
    }
    const applyTo = (stored: Map<string, Uint8Array>, { key: changed, value }: ValueWrite): void => {
      const name = changed.toString()
      const latin1 = Buffer.from(changed).toString('latin1')
      assert(name.length > 0)
      if (value === null) stored.delete(latin1)
      else if (value instanceof Uint8Array) stored.set(latin1, value)
      else for (const each of stored.keys()) if (each.startsWith(latin1)) stored.delete(each)
    }
    for (let round = 0; round < 300; round++) {
      const stored = new Map<string, Uint8Array>()
      const expected = new Map<string, Uint8Array>()
      for (let count = 10; count > 0; count--) stored.set(someKey(), key('stored'))
      for (const [name, value] of stored) expected.set(name, value)
      const earlier = new PendingValues()
      const later = new PendingValues()
      for (const values of [earlier, later]) {
        for (let count = randomBelow(random, 12); count > 0; count--) {
          const each = write()
          values.apply(each)
          applyTo(expected, each)
        }
      }
      // as two passes would see them
      const found = new Map(stored)
      earlier.overlay(found, key(''))
      later.overlay(found, key(''))
      assert.deepEqual(found, expected)
      // and as one, when the first pass has failed
      earlier.absorb(later)
      const again = new Map(stored)
      earlier.overlay(again, key(''))
      assert.deepEqual(again, expected)
      const written = new Map(stored)
      for (const prefix of earlier.prefixes()) applyTo(written, { key: prefix, value: 'prefix' })
      for (const [changed, value] of earlier.entries()) applyTo(written, { key: changed, value })
      assert.deepEqual(written, expected)
      for (const name of new Set([...stored.keys(), ...expected.keys()])) {
        const value = earlier.get(key(name))
        assert.deepEqual(value === undefined ? stored.get(name) : (value ?? undefined), expected.get(name))
      }
    }
  })

  it('has a form for the journal that gives every write back', () => {
    const writes: ValueWrite[] = [
      { key: key('a'), value: key('value') },
      { key: key('b'), value: new Uint8Array(0) },
      { key: key('c'), value: null },
      { key: key('d'), value: 'prefix' },
      { key: key(''), value: Buffer.alloc(70_000, 1) },
    ]
    const decoded = [...decodeValueList(encodeValueList(writes))]
    assert.deepEqual(
      decoded.map(({ key: read, value }) => ({
        key: Buffer.from(read),
        value: value instanceof Uint8Array ? Buffer.from(value) : value,
      })),
      writes.map(({ key: read, value }) => ({
        key: Buffer.from(read),
        value: value instanceof Uint8Array ? Buffer.from(value) : value,
      })),
    )
  })
})
