import assert from 'node:assert/strict'
import fc from 'fast-check'
import { quickCheck } from '../../src/config/quick-check.js'
import { CONFIG_SCHEMA, type JsonSchema } from '../../src/config/schema.js'
import { SchemaCheck } from '../../src/config/schema-check.js'

const SOURCE = { label: 'test', folder: '/', substituted: new Map() }

const key = fc.constantFrom('a', 'b', 'c')
const scalar = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.constantFrom(0.5, '', 'a', 'ab', '😀', 'abc', true, false, null, 1e300),
)
const json = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, scalar, fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(key, tie('value'))),
})).value

/** Schemas of what `quickCheck` understands, a little of what it does not, and some that are wrong. */
const schema = fc.letrec<{ schema: JsonSchema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3 },
    fc.record(
      { type: fc.constantFrom('integer', 'number'), minimum: fc.nat(5), maximum: fc.nat(10) },
      { requiredKeys: [] },
    ),
    fc.record(
      {
        type: fc.constantFrom('string', ['string', 'null']),
        minLength: fc.nat(3),
        pattern: fc.constantFrom('^a', 'b|^$'),
      },
      { requiredKeys: [] },
    ),
    fc.record({ type: fc.constantFrom('boolean', 'null', 'array'), default: scalar }, { requiredKeys: ['type'] }),
    fc.record(
      { enum: fc.uniqueArray(scalar, { minLength: 1, maxLength: 3 }), default: scalar },
      { requiredKeys: ['enum'] },
    ),
    fc.record({ const: scalar, description: fc.constant('x'), maxLength: fc.nat(3) }, { requiredKeys: [] }),
    fc.record({ type: fc.constant('array'), items: tie('schema') }, { requiredKeys: ['type'] }),
    fc.record(
      {
        type: fc.constant('object'),
        properties: fc.dictionary(key, tie('schema')),
        required: fc.uniqueArray(key),
        additionalProperties: fc.oneof(fc.constantFrom(false, true), tie('schema')),
        propertyNames: fc.record({ pattern: fc.constantFrom('a|b', '^$') }),
        default: fc.constant({}),
      },
      { requiredKeys: ['type'] },
    ),
  ),
})).schema

describe('quickCheck', () => {
  it('says yes only where ajv does, and then with the same defaults', () => {
    const tally = { yes: 0, no: 0 }
    fc.assert(
      fc.property(schema, json, (anySchema, value) => {
        const quick = quickCheck(anySchema, value)
        if (quick === null) {
          tally.no++
          return
        }
        tally.yes++
        const { problems, value: expected } = new SchemaCheck().check(anySchema, value, SOURCE, '')
        assert.deepEqual(problems, [])
        assert.deepEqual(quick.value, expected)
      }),
      { numRuns: 1_500 },
    )
    assert.ok(tally.yes > 100, `it said yes ${tally.yes} times`)
  })

  it('understands a whole configuration', () => {
    const options = { durability: 'none', durabilityByTopic: { orders: 'power' } }
    const config = { storage: { use: 's', options }, transports: [{ use: 't' }], node: {} }
    const expected = new SchemaCheck().check(CONFIG_SCHEMA, config, SOURCE, '').value
    assert.deepEqual(quickCheck(CONFIG_SCHEMA, config)?.value, expected)
  })

  it('leaves the value that it was given as it is', () => {
    const value = { a: {} }
    const inner = { type: 'object', properties: { b: { type: 'integer', default: 1 } } }
    assert.deepEqual(quickCheck({ type: 'object', properties: { a: inner } }, value)?.value, { a: { b: 1 } })
    assert.deepEqual(value, { a: {} })
  })
})
