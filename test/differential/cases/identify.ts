import { answered, bytes, type Case, fatal, int32, sized } from '../case.js'
import { BEYOND_2_53, TOPOLOGY_FIELDS } from '../differences.js'

const identify = (body: string): Buffer => bytes('IDENTIFY\n', sized(body))

const field = (name: string, rows: string, values: readonly (string | number)[]): Case[] =>
  values.map((value) => ({
    name: `IDENTIFY with ${name} ${value}`,
    rows: [rows],
    steps: fatal(identify(`{"${name}":${value}}`)),
  }))

export const identifyCases: readonly Case[] = [
  { name: 'IDENTIFY without negotiation', rows: ['identify.plain'], steps: answered(1, identify('{"client_id":"a"}')) },
  ...[
    'null',
    '{}',
    '{"what":[1,{"a":2}]}',
    '{"CLIENT_ID":"a","Heartbeat_Interval":2000}',
    '{"msg_timeout":null}',
    ' {} \n',
  ].map((body): Case => ({ name: `IDENTIFY ${body}`, rows: ['identify.plain'], steps: answered(1, identify(body)) })),
  ...[
    '{"feature_negotiation":true}',
    '{"feature_negotiation":true,"output_buffer_size":-1,"output_buffer_timeout":-1}',
    '{"feature_negotiation":true,"heartbeat_interval":60000,"msg_timeout":900000,"sample_rate":99}',
    '{"feature_negotiation":true,"deflate_level":9,"short_id":"a","long_id":"b"}',
    '{"feature_negotiation":true,"tls_v1":true}',
    '{"feature_negotiation":true,"output_buffer_size":64,"output_buffer_timeout":25}',
  ].map(
    (body): Case => ({
      name: `IDENTIFY ${body}`,
      rows: ['identify.json'],
      steps: answered(1, identify(body)),
      differs: TOPOLOGY_FIELDS,
    }),
  ),
  ...[0, -1, 5_242_881, 2_147_483_647].map(
    (size): Case => ({
      name: `IDENTIFY of ${size} bytes`,
      rows: ['identify.size'],
      steps: fatal('IDENTIFY\n', int32(size)),
    }),
  ),
  {
    name: 'IDENTIFY cut off in its size',
    rows: ['identify.cut'],
    steps: [
      { connect: 'a' },
      { on: 'a', send: bytes('  V2IDENTIFY\n\0\0') },
      { on: 'a', end: true },
      { on: 'a', rest: true },
    ],
  },
  {
    name: 'IDENTIFY cut off in its body',
    rows: ['identify.cut'],
    steps: [
      { connect: 'a' },
      { on: 'a', send: bytes('  V2IDENTIFY\n', int32(9), '{"a"') },
      { on: 'a', end: true },
      { on: 'a', rest: true },
    ],
  },
  ...[
    '[]',
    'x',
    '{',
    '"text"',
    '5',
    '{"msg_timeout":"5"}',
    '{"msg_timeout":2000.0}',
    '{"msg_timeout":2e3}',
    '{"msg_timeout":99999999999999999999}',
    '{"sample_rate":4294967296}',
    '{"client_id":5}',
    '{"feature_negotiation":"true"}',
    '{} x',
    '{"a":1,}',
  ].map((body): Case => ({ name: `IDENTIFY ${body}`, rows: ['identify.decode'], steps: fatal(identify(body)) })),
  ...field('heartbeat_interval', 'identify.heartbeat', [-2, 1, 999, 60001]),
  ...field('output_buffer_timeout', 'identify.buffer-timeout', [-2, 1, 24, 30001]),
  ...field('output_buffer_size', 'identify.buffer-size', [-2, 1, 63, 65537]),
  ...field('sample_rate', 'identify.sample-rate', [-1, 100]),
  ...field('msg_timeout', 'identify.msg-timeout', [-1, 1, 999, 900001]),
  {
    name: 'IDENTIFY with a number beyond 2^53',
    rows: ['identify.msg-timeout'],
    steps: fatal(identify('{"msg_timeout":99999999999999999}')),
    differs: BEYOND_2_53,
  },
  {
    name: 'deflate and snappy together',
    rows: ['identify.both'],
    steps: fatal(identify('{"feature_negotiation":true,"deflate":true,"snappy":true}')),
  },
  {
    name: 'IDENTIFY twice',
    rows: ['identify.again'],
    steps: answered(3, identify('{"msg_timeout":5000}'), identify('{"msg_timeout":6000}'), 'SUB again-1 c\n'),
  },
  {
    name: 'SUB without heartbeats',
    rows: ['identify.nobody-sub'],
    steps: fatal(identify('{"heartbeat_interval":-1}'), 'SUB t c\n'),
  },
  { name: 'AUTH where nobody is asked', rows: ['auth.disabled'], steps: fatal('AUTH\n', sized('secret')) },
  { name: 'AUTH with a parameter', rows: ['auth.parameters'], steps: fatal('AUTH x\n') },
  { name: 'AUTH with a space', rows: ['auth.parameters'], steps: fatal('AUTH \n') },
  ...[0, -1, 5_242_881].map(
    (size): Case => ({ name: `AUTH of ${size} bytes`, rows: ['auth.size'], steps: fatal('AUTH\n', int32(size)) }),
  ),
  {
    name: 'AUTH cut off',
    rows: ['auth.size'],
    steps: [
      { connect: 'a' },
      { on: 'a', send: bytes('  V2AUTH\n', int32(9), 'abc') },
      { on: 'a', end: true },
      { on: 'a', rest: true },
    ],
  },
  ...[
    ['SUB t c\n'],
    ['PUB t\n', sized('x')],
    ['DPUB t 0\n', sized('x')],
    ['MPUB t\n', sized(int32(1), sized('x'))],
  ].map(
    (parts, index): Case => ({
      name: `what needs AUTH, before it, ${index}`,
      rows: ['auth.first'],
      flags: ['--auth-http-address=127.0.0.1:1'],
      steps: fatal(...parts),
    }),
  ),
]
