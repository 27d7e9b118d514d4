import { answered, bytes, type Case, fatal, int32, type Step, sized } from '../case.js'
import { BEYOND_64_BITS, MPUB_LENGTH, TOPOLOGY_FIELDS } from '../differences.js'

const LONG = 'n'.repeat(65)
const NAMES = ['', 'a/b', LONG, '#ephemeral', 'a#ephemera', 'ä']
const cut = (...parts: readonly (string | Uint8Array)[]): Step[] => [
  { connect: 'a' },
  { on: 'a', send: bytes('  V2', ...parts) },
  { on: 'a', end: true },
  { on: 'a', rest: true },
]
const publish = (topic: string, ...bodies: readonly string[]): Step[] =>
  bodies.map((body) => ({ request: `POST /pub?topic=${topic}`, body }))
/** Two consumers of which the first has the only message. */
const held = (topic: string): Step[] => [
  ...publish(topic, 'm'),
  { connect: 'a' },
  { on: 'a', send: `  V2SUB ${topic} c\nRDY 1\n` },
  { on: 'a', frames: 2 },
]

export const messageCases: readonly Case[] = [
  {
    name: 'SUB',
    rows: ['sub.ok', 'topic.backlog'],
    steps: [...publish('sub-1', 'm1', 'm2'), ...answered(3, 'SUB sub-1 c\nRDY 2\n')],
  },
  ...['SUB', 'SUB t', 'SUB t '].map(
    (line): Case => ({ name: `"${line}"`, rows: ['sub.parameters', 'sub.channel'], steps: fatal(`${line}\n`) }),
  ),
  ...NAMES.map(
    (name): Case => ({ name: `SUB to "${name}"`, rows: ['sub.topic'], steps: fatal(Buffer.from(`SUB ${name} c\n`)) }),
  ),
  ...NAMES.map(
    (name): Case => ({
      name: `SUB to channel "${name}"`,
      rows: ['sub.channel'],
      steps: fatal(Buffer.from(`SUB t ${name}\n`)),
    }),
  ),
  {
    name: 'more consumers than there may be',
    rows: ['sub.limit'],
    flags: ['--max-channel-consumers=1'],
    steps: [
      { connect: 'a' },
      { on: 'a', send: '  V2SUB limited-1 c\n' },
      { on: 'a', frames: 1 },
      { connect: 'b' },
      { on: 'b', send: '  V2SUB limited-1 c\n' },
      { on: 'b', rest: true },
    ],
  },
  {
    name: 'RDY without a count',
    rows: ['rdy.default'],
    steps: [...publish('rdy-1', 'm1', 'm2'), ...answered(2, 'SUB rdy-1 c\nRDY\n')],
  },
  {
    name: 'RDY with an empty count',
    rows: ['rdy.parse'],
    steps: answered(2, 'SUB rdy-2 c\nRDY \nFIN 0123456789abcdef\n'),
  },
  ...['x', '-1', '1.5', '+1', '0x1'].map(
    (count): Case => ({ name: `RDY ${count}`, rows: ['rdy.parse'], steps: fatal(`SUB rdy-3 c\nRDY ${count}\n`) }),
  ),
  ...['2501', '99999999999'].map(
    (count): Case => ({ name: `RDY ${count}`, rows: ['rdy.range'], steps: fatal(`SUB rdy-4 c\nRDY ${count}\n`) }),
  ),
  {
    name: 'RDY beyond 64 bits',
    rows: ['rdy.range'],
    steps: fatal('SUB rdy-5 c\nRDY 18446744073709551615\n'),
    differs: BEYOND_64_BITS,
  },
  ...['FIN', 'FIN ', 'FIN abc', `FIN ${'a'.repeat(17)}`].map(
    (line): Case => ({ name: `"${line}"`, rows: ['fin.parameters'], steps: fatal(`SUB fin-1 c\n${line}\n`) }),
  ),
  { name: 'FIN of nothing', rows: ['fin.failed'], steps: answered(2, 'SUB fin-2 c\nFIN 0123456789abcdef\n') },
  { name: 'FIN of no hex digits', rows: ['fin.failed'], steps: answered(2, 'SUB fin-3 c\nFIN zzzzzzzzzzzzzzzz\n') },
  {
    name: 'FIN twice',
    rows: ['fin.failed'],
    steps: [...held('fin-4'), { on: 'a', send: 'FIN {id:0}\nFIN {id:0}\n' }, { on: 'a', frames: 1 }],
  },
  ...['REQ', `REQ ${'a'.repeat(16)}`, 'REQ abc 0', `REQ ${'a'.repeat(16)} x`, `REQ ${'a'.repeat(16)} -1`].map(
    (line): Case => ({ name: `"${line}"`, rows: ['req.parameters'], steps: fatal(`SUB req-1 c\n${line}\n`) }),
  ),
  { name: 'REQ of nothing', rows: ['req.failed'], steps: answered(2, 'SUB req-2 c\nREQ 0123456789abcdef 0\n') },
  {
    name: 'REQ at once',
    rows: ['req.ok'],
    steps: [...held('req-3'), { on: 'a', send: 'REQ {id:0} 0\n' }, { on: 'a', frames: 1 }],
  },
  {
    name: 'REQ beyond 64 bits',
    rows: ['req.ok'],
    steps: [
      ...held('req-4'),
      { on: 'a', send: 'RDY 0\nREQ {id:0} 9223372036855\nFIN 0123456789abcdef\n' },
      { on: 'a', frames: 1 },
      { request: 'GET /stats?format=json&topic=req-4&include_clients=false&include_mem=false' },
    ],
    differs: BEYOND_64_BITS,
  },
  ...['TOUCH', 'TOUCH abc'].map(
    (line): Case => ({ name: `"${line}"`, rows: ['touch.parameters'], steps: fatal(`SUB touch-1 c\n${line}\n`) }),
  ),
  { name: 'TOUCH of nothing', rows: ['touch.failed'], steps: answered(2, 'SUB touch-2 c\nTOUCH 0123456789abcdef\n') },
  { name: 'CLS', rows: ['cls'], steps: answered(2, 'SUB cls-1 c\nCLS\n') },
  {
    name: 'what somebody else has',
    rows: ['fin.owner', 'req.failed', 'touch.failed'],
    steps: [
      ...held('owner-1'),
      { connect: 'b' },
      { on: 'b', send: '  V2SUB owner-1 c\n' },
      { on: 'b', frames: 1 },
      { request: 'GET /stats?format=json&topic=owner-1&include_clients=false&include_mem=false' },
    ],
    differs: TOPOLOGY_FIELDS,
  },
  { name: 'PUB', rows: ['pub.ok'], steps: answered(1, 'PUB pub-1\n', sized('hello')) },
  { name: 'PUB without a topic', rows: ['pub.parameters'], steps: fatal('PUB\n') },
  ...NAMES.map(
    (name): Case => ({ name: `PUB to "${name}"`, rows: ['pub.topic'], steps: fatal(Buffer.from(`PUB ${name}\n`)) }),
  ),
  ...[0, -1, 1_048_577, -2_147_483_648].map(
    (size): Case => ({ name: `PUB of ${size} bytes`, rows: ['pub.size'], steps: fatal('PUB pub-2\n', int32(size)) }),
  ),
  { name: 'PUB cut off in its size', rows: ['pub.cut'], steps: cut('PUB pub-3\n\0') },
  { name: 'PUB cut off in its message', rows: ['pub.cut'], steps: cut('PUB pub-3\n', int32(5), 'abc') },
  {
    name: 'DPUB',
    rows: ['dpub.ok'],
    steps: [
      { request: 'POST /topic/create?topic=dpub-1' },
      { request: 'POST /channel/create?topic=dpub-1&channel=c' },
      ...answered(1, 'DPUB dpub-1 600000\n', sized('later')),
      { until: 'GET /stats?format=json&topic=dpub-1&include_mem=false', matches: /"deferred_count":1/ },
    ],
  },
  ...['DPUB', 'DPUB t'].map(
    (line): Case => ({ name: `"${line}"`, rows: ['dpub.parameters'], steps: fatal(`${line}\n`) }),
  ),
  ...NAMES.map(
    (name): Case => ({
      name: `DPUB to "${name}"`,
      rows: ['dpub.topic'],
      steps: fatal(Buffer.from(`DPUB ${name} 1\n`)),
    }),
  ),
  ...['x', '-1', '1s', '3600001'].map(
    (delay): Case => ({ name: `DPUB in ${delay}`, rows: ['dpub.timeout'], steps: fatal(`DPUB t ${delay}\n`) }),
  ),
  {
    name: 'DPUB beyond 64 bits',
    rows: ['dpub.timeout'],
    steps: answered(1, 'DPUB beyond-1 18446744073709552616\n', sized('x')),
    differs: BEYOND_64_BITS,
  },
  ...[0, -1, 1_048_577].map(
    (size): Case => ({
      name: `DPUB of ${size} bytes`,
      rows: ['dpub.size'],
      steps: fatal('DPUB dpub-2 1\n', int32(size)),
    }),
  ),
  { name: 'DPUB cut off', rows: ['dpub.size'], steps: cut('DPUB dpub-3 1\n', int32(5), 'abc') },
  { name: 'DPUB cut off in its size', rows: ['dpub.size'], steps: cut('DPUB dpub-3 1\n\0') },
  { name: 'MPUB', rows: ['mpub.ok'], steps: answered(1, 'MPUB mpub-1\n', sized(int32(2), sized('a'), sized('b'))) },
  { name: 'MPUB without a topic', rows: ['mpub.parameters'], steps: fatal('MPUB\n') },
  ...NAMES.map(
    (name): Case => ({ name: `MPUB to "${name}"`, rows: ['mpub.topic'], steps: fatal(Buffer.from(`MPUB ${name}\n`)) }),
  ),
  ...[0, -1, 5_242_881].map(
    (size): Case => ({
      name: `MPUB of ${size} bytes`,
      rows: ['mpub.size'],
      steps: fatal('MPUB mpub-2\n', int32(size)),
    }),
  ),
  { name: 'MPUB cut off in its size', rows: ['mpub.size'], steps: cut('MPUB mpub-2\n\0\0') },
  { name: 'MPUB cut off in its count', rows: ['mpub.count'], steps: cut('MPUB mpub-2\n', int32(20), '\0\0') },
  ...[0, -1, 1_048_576].map(
    (count): Case => ({
      name: `MPUB of ${count} messages`,
      rows: ['mpub.count'],
      steps: fatal('MPUB mpub-3\n', int32(100, count)),
    }),
  ),
  ...[0, -1, 1_048_577].map(
    (size): Case => ({
      name: `MPUB with a message of ${size} bytes`,
      rows: ['mpub.message'],
      steps: fatal('MPUB mpub-4\n', int32(5_000_000, 2, 1), 'x', int32(size)),
    }),
  ),
  {
    name: 'MPUB cut off in the size of a message',
    rows: ['mpub.message'],
    steps: cut('MPUB mpub-5\n', int32(20, 1), '\0'),
  },
  { name: 'MPUB cut off in a message', rows: ['mpub.message'], steps: cut('MPUB mpub-5\n', int32(17, 1, 9), 'abc') },
  {
    name: 'MPUB with bytes behind its messages',
    rows: ['mpub.length'],
    steps: [
      { connect: 'a' },
      { on: 'a', send: bytes('  V2MPUB mpub-6\n', sized(int32(1), sized('a'), 'NOP\n')) },
      { on: 'a', frames: 1 },
    ],
    differs: MPUB_LENGTH,
  },
]
