import assert from 'node:assert/strict'
import { JsonFilter, type JsonRules } from '../../../src/tools/nsq-to-nsq/json-filter.js'

function judge(rules: Partial<JsonRules>, body: string): string {
  const filter = new JsonFilter({ requiredField: '', requiredValue: '', fields: [], ...rules })
  const verdict = filter.judge(Buffer.from(body))
  return verdict.kind === 'pass' ? String(verdict.body) : verdict.kind
}

describe("nsq_to_nsq's JSON rules", () => {
  it('without any, pass everything on as it is', () => {
    assert.equal(judge({}, 'no JSON'), 'no JSON')
  })

  it('with any, drop what is no JSON object', () => {
    for (const body of ['no JSON', '[1]', '1', '"text"', '', '{"a":1} x']) {
      assert.equal(judge({ requiredField: 'a' }, body), 'drop', body)
      assert.equal(judge({ fields: ['a'] }, body), 'drop', body)
    }
  })

  it('take null for an object without fields', () => {
    assert.equal(judge({ fields: ['a'] }, 'null'), '{}')
    assert.equal(judge({ requiredField: 'a' }, 'null'), 'drop')
  })

  it('a required field: drop what does not have it, pass the rest on byte by byte', () => {
    assert.equal(judge({ requiredField: 'a' }, '{ "a" : null }'), '{ "a" : null }')
    assert.equal(judge({ requiredField: 'a' }, '{"b":1}'), 'drop')
    assert.equal(judge({ requiredField: 'toString' }, '{"b":1}'), 'drop')
  })

  it('a required value: refuse what does not have the field, drop what has another value', () => {
    const rules = { requiredField: 'a', requiredValue: '12' }
    assert.equal(judge(rules, '{"a":"12"}'), '{"a":"12"}')
    assert.equal(judge(rules, '{"a":12.0}'), '{"a":12.0}')
    for (const body of ['{"a":13}', '{"a":"012"}', '{"a":[12]}', '{"a":true}', '{"a":null}']) {
      assert.equal(judge(rules, body), 'drop', body)
    }
    assert.equal(judge(rules, '{"b":12}'), 'refuse')
    assert.equal(judge({ requiredField: 'a', requiredValue: 'x' }, '{"a":0}'), 'drop')
    assert.equal(judge({ requiredField: 'a', requiredValue: ' ' }, '{"a":0}'), 'drop')
  })

  it('a whitelist: leave values as they were written', () => {
    const rules = { fields: ['a', 'é'] }
    assert.equal(judge(rules, '{"a": 12345678901234567890}'), '{"a":12345678901234567890}')
    assert.equal(judge(rules, '{"a": [1.50, -0, 1e999, ":,]}\\""]}'), '{"a":[1.50,-0,1e999,":,]}\\""]}')
    assert.equal(judge(rules, ' {"a" : {"a": [{}, {"é": true}]},\n"b": {"a": 1} } '), '{"a":{"a":[{},{"é":true}]}}')
    assert.equal(judge(rules, '{"\\u00e9": "\\u00e9", "a": 1, "a": 2}'), '{"a":2,"é":"\\u00e9"}')
  })

  it('a whitelist: pass only these fields on, sorted', () => {
    const rules = { fields: ['b', '9', '10', 'a', 'a', '__proto__'] }
    assert.equal(judge(rules, '{"a":1,"b":[1, {"c":2}],"c":3}'), '{"a":1,"b":[1,{"c":2}]}')
    assert.equal(judge(rules, '{"9":9,"10":10}'), '{"10":10,"9":9}')
    assert.equal(judge(rules, '{"__proto__":{"x":1}}'), '{"__proto__":{"x":1}}')
    assert.equal(judge(rules, '{"c":3}'), '{}')
  })
})
