import assert from 'node:assert/strict'
import { NameLookups } from '../src/name-lookups.js'

type Done = (error: NodeJS.ErrnoException | null, address: string, family: number) => void

describe('look-ups of host names', () => {
  function lookups() {
    const running: { readonly host: string; readonly done: Done }[] = []
    const names = new NameLookups((host, _options, done) => void running.push({ host, done: done as Done }))
    const found: string[] = []
    const ask = (host: string): void =>
      names.lookup(host, {}, (error, address) => void found.push(`${host} ${error?.message ?? address}`))
    return { running, found, ask, hosts: () => running.map(({ host }) => host) }
  }

  it('run two at a time, in the order in which they were asked for', () => {
    const { running, found, ask, hosts } = lookups()
    for (const host of ['a', 'b', 'c', 'd']) ask(host)
    assert.deepEqual(hosts(), ['a', 'b'])
    running[1].done(null, '10.0.0.2', 4)
    assert.deepEqual(hosts(), ['a', 'b', 'c'])
    running[0].done(new Error('not there'), '', 0)
    assert.deepEqual(hosts(), ['a', 'b', 'c', 'd'])
    assert.deepEqual(found, ['b 10.0.0.2', 'a not there'])
  })

  it('of one name are one while it runs, and another one later', () => {
    const { running, found, ask, hosts } = lookups()
    ask('a')
    ask('a')
    assert.deepEqual(hosts(), ['a'])
    running[0].done(null, '10.0.0.1', 4)
    assert.deepEqual(found, ['a 10.0.0.1', 'a 10.0.0.1'])
    ask('a')
    assert.deepEqual(hosts(), ['a', 'a'])
  })
})
