import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { Plugin } from '@spillway/core'
import { CONFIG_SCHEMA, type JsonSchema, NODE_SCHEMA } from '@spillway/core/node'

const page = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8')

/** The rows of the table below a heading: cells without the code marks. */
function rowsBelow(heading: string): string[][] {
  const section = page.split(new RegExp(`\n###? ${heading}\n`))[1].split(/\n###? /)[0]
  const rows = section.split('\n').filter((line) => line.startsWith('| `'))
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  )
}

describe('docs/configuration.md', () => {
  it('has every section of the configuration', () => {
    const sections = Object.keys(CONFIG_SCHEMA.properties).filter((key) => key !== '$schema')
    assert.deepEqual(
      rowsBelow('Sections').map(([key]) => key),
      sections,
    )
  })

  it('has every key of node, with its default', () => {
    const properties: Record<string, JsonSchema> = NODE_SCHEMA.properties
    const rows = rowsBelow('Keys of `node`')
    assert.deepEqual(
      rows.map(([key]) => key),
      Object.keys(properties),
    )
    for (const [key, documented] of rows) {
      const value = properties[key].default
      if (value === undefined) assert.match(documented, /^(?:the host name|half of the memory)/, key)
      else assert.equal(documented, JSON.stringify(value), key)
    }
  })

  it('has every option of our own plugins, with its default', async () => {
    for (const name of [
      '@spillway/transport-tcp',
      '@spillway/transport-http',
      '@spillway/storage-rocksdb',
      '@spillway/discovery-nsqlookupd',
      '@spillway/discovery-static',
      '@spillway/auth-nsq',
      '@spillway/auth-static',
      '@spillway/reporter-statsd',
    ]) {
      const plugin: Plugin = (await import(name)).default
      const { properties } = plugin.optionsSchema as { properties: Record<string, JsonSchema> }
      assert.deepEqual(
        rowsBelow(`\`${name}\``).map(([key, documented]) => [key, documented]),
        Object.entries(properties).map(([key, { default: value }]) => [key, JSON.stringify(value) ?? 'none']),
      )
    }
  })

  it('has every option of our own memory storage, with its default', async () => {
    const plugin: Plugin = (await import('@spillway/storage-memory')).default
    const { properties } = plugin.optionsSchema as { properties: Record<string, JsonSchema> }
    assert.deepEqual(
      rowsBelow('`@spillway/storage-memory`').map(([key, documented]) => [key, documented]),
      [
        ['durability', '"none"'], // core's
        ...Object.entries(properties).map(([key, { default: value }]) => [key, JSON.stringify(value)]),
      ],
    )
  })

  it('names the unit of every key that has one', () => {
    for (const [key, , unit] of rowsBelow('Keys of `node`')) {
      if (/Ms(?:Min|Max)?$/.test(key)) assert.equal(unit, 'ms', key)
      if (/Bytes(?:Max)?$/.test(key)) assert.equal(unit, 'bytes', key)
    }
  })
})
