import type { Random } from '../../support/random.js'
import { numberText, randomBytes, someOf } from './parameters.js'

const NUMBERS: Readonly<Record<string, readonly number[]>> = {
  heartbeat_interval: [-1, 0, 1000, 60_000],
  output_buffer_size: [-1, 0, 64, 65_536],
  output_buffer_timeout: [-1, 0, 25, 30_000],
  sample_rate: [0, 99],
  msg_timeout: [0, 1000, 900_000],
  deflate_level: [0, 1, 6, 9],
}
const TEXTS = ['client_id', 'hostname', 'user_agent', 'short_id', 'long_id', 'topology_region', 'topology_zone']
const WISHES = ['tls_v1', 'snappy', 'deflate']
const VALUES = [
  'null',
  'true',
  'false',
  '0',
  '1',
  '-1',
  '"x"',
  '""',
  '[]',
  '[1,{"a":[]}]',
  '{}',
  '{"a":null}',
  '1.0',
  '1e2',
  '-0',
]
const STRINGS = ['"a"', '""', '"\\u00e4\\n"', '"\\ud83d\\ude00"', '"\\ud83d"', '"a\\/b"', '"ä"', `"${'x'.repeat(300)}"`]
const BOTH = '{"feature_negotiation":true,"deflate":true,"snappy":true}'
/** What is no JSON, or none that counts. */
const BROKEN = [
  '[]',
  '"x"',
  '5',
  'true',
  'nul',
  '{',
  '}',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{,}',
  '{"a":1 "b":2}',
  "{'a':1}",
  '{a:1}',
  '{"a":01}',
  '{"a":+1}',
  '{"a":.5}',
  '{"a":1.}',
  '{"a":1e}',
  '{"a":-}',
  '{"a":"\\x"}',
  '{"a":"\\u12"}',
  '{"a":"\t"}',
  '{"a":"',
  '{"a":tru}',
  '{"a":NaN}',
  '{"a":[1,]}',
  '{"a":[1}',
  '{} {}',
  '{}x',
  '{}\0',
  '\ufeff{}',
  '/**/{}',
  ' ',
  '\n',
]

/** The body of an IDENTIFY, and whether it is answered for sure. Nothing that it asks for changes the stream. */
export function identifyBody(random: Random): { readonly body: Buffer; readonly isGood: boolean } {
  if (random.chance(0.1)) return { body: Buffer.from(random.pick(BROKEN)), isGood: false }
  if (random.chance(0.03)) return { body: randomBytes(random, random.between(1, 40)), isGood: false }
  if (random.chance(0.03)) return { body: Buffer.from(deep(random)), isGood: false }
  if (random.chance(0.05)) return { body: Buffer.from(BOTH), isGood: false }
  const isGood = random.chance(0.5)
  const members = shuffled(random, isGood ? goodMembers(random) : anyMembers(random))
  const gap = (): string => (isGood ? random.pick(['', '', '', ' ', '\n']) : space(random))
  const body = Buffer.from(`${gap()}{${gap()}${members.join(`${gap()},${gap()}`)}}${gap()}`)
  return { body: isGood || random.chance(0.8) ? body : damaged(random, body), isGood }
}

function goodMembers(random: Random): string[] {
  return [
    ...someOf(random, TEXTS, 0.2).map((name) => `"${name}":${random.pick(STRINGS)}`),
    ...someOf(random, Object.keys(NUMBERS), 0.3).map((name) => `"${name}":${random.pick(NUMBERS[name])}`),
    ...wishes(random),
  ]
}

function anyMembers(random: Random): string[] {
  const names = [...TEXTS, ...Object.keys(NUMBERS)]
  return [
    ...someOf(random, TEXTS, 0.2).map((name) => member(random, name, random.pick(STRINGS))),
    ...someOf(random, Object.keys(NUMBERS), 0.3).map((name) =>
      member(random, name, numberText(random, ...NUMBERS[name])),
    ),
    ...someOf(random, names, 0.05).map((name) => member(random, name, random.pick(VALUES))),
    ...someOf(random, WISHES, 0.05).map((name) => member(random, name, random.pick(['null', '0', '"x"', '[]']))),
    ...wishes(random),
  ]
}

/** Negotiation, or wishes that come to nothing without it. */
function wishes(random: Random): string[] {
  const without = someOf(random, WISHES, 0.4).map((name) => `"${name}":true`)
  return random.pick([[], ['"feature_negotiation":true'], without])
}

function member(random: Random, name: string, value: string): string {
  const key = random.chance(0.85)
    ? name
    : random.pick([
        name.toUpperCase(),
        name.replace('_', '\\u005f'),
        name.replace('s', 'ſ'),
        name.replace('k', '\u212a'),
        `${name} `,
      ])
  return `"${key}"${space(random)}:${space(random)}${value}`
}

const space = (random: Random): string =>
  random.chance(0.9) ? '' : random.pick([' ', '\n', '\t', '\r', '  ', '\v', '\u00a0'])

/** Go's decoder gives up below 10,000 levels. */
function deep(random: Random): string {
  const levels = random.pick([1, 100, 9_998, 9_999, 10_000, 10_001, 12_000])
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ])
  return `{"deep":${open.repeat(levels)}${open === '[' ? '' : '1'}${close.repeat(levels)}}`
}

/** A byte is lost, changed or doubled. */
function damaged(random: Random, body: Buffer): Buffer {
  const at = random.between(0, body.length - 1)
  const middle = random.pick([Buffer.alloc(0), randomBytes(random, 1), body.subarray(at, at + 1)])
  return Buffer.concat([body.subarray(0, at), middle, middle, body.subarray(at + 1)])
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const left = [...items]
  return items.map(() => left.splice(random.between(0, left.length - 1), 1)[0])
}
