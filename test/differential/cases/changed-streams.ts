import { deflateRawSync } from 'node:zlib'
import { bytes, type Case, int32, type Step, sized } from '../case.js'
import { type Change, changed, ENCRYPTED, identify, ONE_SUITE, WAYS, WISHES } from '../changed-stream-steps.js'
import { SECOND_IDENTIFY_INSIDE, TOPOLOGY_FIELDS } from '../differences.js'
import { makeCodec } from '../stream-codecs.js'

const nameOf = (changes: readonly Change[]): string => changes.toReversed().join(' inside ')
const rowsOf = (changes: readonly Change[]): string[] => changes.map((change) => `${change}.upgrade`)
const topicOf = (what: string, changes: readonly Change[]): string => `${what}-${changes.join('-')}`

/** Some that hardly get smaller. */
const noise = (sizeBytes: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: sizeBytes }, (_, index) => (index * index * 31 + (index >> 3) * 7) % 251))

const negotiated = { flags: ENCRYPTED, differs: TOPOLOGY_FIELDS }

/** Each conversation inside each stream. */
const insideCases: readonly Case[] = WAYS.flatMap((changes): Case[] => {
  const rows = rowsOf(changes)
  const inside = (what: string, ...steps: Step[]): Case => ({
    ...negotiated,
    name: `${what}: ${nameOf(changes)}`,
    rows,
    steps: [...changed(changes), ...steps],
  })
  const topic = topicOf('inside', changes)
  return [
    inside(
      'publishes and messages of many sizes',
      ...[1, 200, 16_384, 70_000, 1_048_576].flatMap((sizeBytes): Step[] => [
        { on: 'a', send: bytes(`PUB ${topic}\n`, sized(noise(sizeBytes))) },
        { on: 'a', frames: 1 },
      ]),
      { on: 'a', send: `SUB ${topic} c\nRDY 5\n` },
      { on: 'a', frames: 6 },
      { on: 'a', send: 'FIN {id:0}\nFIN {id:0}\nREQ {id:1} 0\n' },
      { on: 'a', frames: 2 },
      { on: 'a', send: 'CLS\n' },
      { on: 'a', frames: 1 },
    ),
    inside('an error', { on: 'a', send: 'PUB \n' }, { on: 'a', rest: true }),
    inside('a second IDENTIFY', { on: 'a', send: bytes('IDENTIFY\n', sized('{}')) }, { on: 'a', frames: 1 }),
    {
      flags: ENCRYPTED,
      name: `a second IDENTIFY with another output buffer: ${nameOf(changes)}`,
      rows,
      steps: [
        ...changed(changes),
        { on: 'a', send: bytes('IDENTIFY\n', sized('{"output_buffer_size":64}')) },
        { on: 'a', end: true },
        { on: 'a', rest: true },
      ],
      differs: SECOND_IDENTIFY_INSIDE,
    },
    inside(
      'an end in a body',
      { on: 'a', send: bytes(`PUB ${topic}\n`, int32(9), 'abc') },
      { on: 'a', end: true },
      { on: 'a', rest: true },
    ),
    inside('an end between commands', { on: 'a', send: 'NOP\n' }, { on: 'a', end: true }, { on: 'a', rest: true }),
    inside('an end that only the socket knows of', { on: 'a', end: 'beneath' }, { on: 'a', rest: true }),
    {
      ...negotiated,
      name: `what the statistics say of it: ${nameOf(changes)}`,
      rows: [...rows, 'http.stats.json'],
      steps: [
        ...changed(changes, [], { version: 'TLSv1.3', ciphers: ONE_SUITE['TLSv1.3'] }),
        { on: 'a', send: `SUB ${topicOf('stats', changes)} c\n` },
        { on: 'a', frames: 1 },
        { request: `GET /stats?format=json&include_mem=false&topic=${topicOf('stats', changes)}` },
      ],
    },
  ]
})

/** Everything that may be asked for together, where it is offered and where not. */
const negotiationCases: readonly Case[] = [[], ENCRYPTED, ['--snappy=false', '--deflate=false']].flatMap((flags) =>
  [
    [],
    ['tls'],
    ['deflate'],
    ['snappy'],
    ['tls', 'deflate'],
    ['tls', 'snappy'],
    ['deflate', 'snappy'],
    ['tls', 'deflate', 'snappy'],
  ].map((wishes): Case => {
    const asked = wishes as Change[]
    const isRefused = asked.includes('deflate') && asked.includes('snappy') && flags.length !== 2
    return {
      name: `IDENTIFY that asks for ${asked.join(', ') || 'nothing'}, ${flags.join(' ') || 'no flags'}`,
      rows: isRefused ? ['identify.both'] : ['identify.offer'],
      flags,
      steps: [
        { connect: 'a' },
        { on: 'a', send: bytes('  V2', identify(...asked.map((wish) => WISHES[wish]))) },
        isRefused ? { on: 'a', rest: true } : { on: 'a', frames: 1 },
      ],
      ...(isRefused ? {} : { differs: TOPOLOGY_FIELDS }),
    }
  }),
)

const level = (flags: readonly string[], value: string): Case => ({
  name: `deflate of level ${value}, ${flags.join(' ') || 'no flags'}`,
  rows: ['identify.deflate-level', 'deflate.upgrade'],
  flags,
  steps: [
    ...changed(['deflate'], [`"deflate_level":${value}`]),
    { on: 'a', send: bytes('PUB levels\n', sized(noise(20_000))) },
    { on: 'a', frames: 1 },
  ],
  differs: TOPOLOGY_FIELDS,
})

/** No block of deflate, no chunk of snappy, no record of TLS. */
const WRONG = '\x02\xff\xff\xff\xff\xff\xff\xff'
const STREAM_NAME = '\xff\x06\x00\x00sNaPpY'

/** What is no deflate or snappy, behind an upgrade that both know. */
const garbageCases: readonly Case[] = [
  ...(['deflate', 'snappy'] as const).map(
    (kind): Case => ({
      ...negotiated,
      name: `commands in the open after an upgrade to ${kind}`,
      rows: ['upgrade.garbage'],
      steps: [...changed([kind]), { on: 'a', beneath: bytes('PUB garbage-1\n', sized('x')) }, { on: 'a', rest: true }],
    }),
  ),
  ...(
    [
      ['deflate', 'a block of no known kind', '\xff\xff\xff\xff'],
      ['deflate', 'a stored block whose length is wrong', '\x00\x01\x00\x00\x00x'],
      ['snappy', 'no stream name', '\x00\x04\x00\x00\x01\x02\x03\x04'],
      ['snappy', 'another stream name', '\xff\x06\x00\x00sNaPpI'],
      ['snappy', 'a chunk that nobody knows', `${STREAM_NAME}\x02\x04\x00\x00abcd`],
      ['snappy', 'a wrong checksum', `${STREAM_NAME}\x01\x05\x00\x00abcdx`],
      ['snappy', 'a chunk without a checksum', `${STREAM_NAME}\x01\x03\x00\x00abc`],
      ['snappy', 'a block that says it is 4 GB', `${STREAM_NAME}\x00\x09\x00\x00abcd\xff\xff\xff\xff\x0f`],
    ] as const
  ).map(
    ([kind, what, garbage]): Case => ({
      ...negotiated,
      name: `${kind}: ${what}`,
      rows: ['upgrade.garbage'],
      steps: [...changed([kind]), { on: 'a', beneath: bytes(garbage) }, { on: 'a', rest: true }],
    }),
  ),
  {
    ...negotiated,
    name: 'snappy: chunks to be skipped, and the stream name again',
    rows: ['snappy.upgrade'],
    steps: [
      ...changed(['snappy']),
      { on: 'a', beneath: bytes(`${STREAM_NAME}\x80\x03\x00\x00abc\xfe\x00\x00\x00${STREAM_NAME}`) },
      { on: 'a', send: bytes('PUB skipped-1\n', sized('x')) },
      { on: 'a', frames: 1 },
    ],
  },
  ...(['deflate', 'snappy', 'tls'] as const).flatMap((kind): Case[] => [
    {
      ...negotiated,
      name: `${kind}: wrong behind an answer`,
      rows: ['upgrade.garbage'],
      steps: [
        ...changed([kind]),
        { on: 'a', send: bytes('PUB garbage-2\n', sized('x')) },
        { on: 'a', frames: 1 },
        { on: 'a', beneath: bytes(WRONG) },
        { on: 'a', rest: true },
      ],
    },
  ]),
  ...[bytes('PUB garbage-3\n', sized('x')), bytes('PUB garbage-3\n', int32(10), 'abc')].flatMap((command, index) =>
    (['deflate', 'snappy'] as const).map(
      (kind): Case => ({
        flags: ENCRYPTED,
        name: `${kind}: wrong, in one write with ${['a publish', 'half of one'][index]}`,
        rows: ['upgrade.garbage'],
        steps: [
          ...changed([kind]),
          { on: 'a', beneath: bytes(makeCodec(kind).encode(command), WRONG) },
          { on: 'a', rest: true },
        ],
        differs: kind === 'deflate' ? 'bad deflate or TLS, in one read with what is good' : TOPOLOGY_FIELDS,
      }),
    ),
  ),
  {
    ...negotiated,
    name: 'deflate: the peer says that its stream is complete, and ends',
    rows: ['upgrade.garbage'],
    steps: [
      ...changed(['deflate']),
      { on: 'a', beneath: deflateRawSync(bytes('PUB garbage-4\n', sized('x'))) },
      { on: 'a', end: true },
      { on: 'a', rest: true },
    ],
  },
  {
    ...negotiated,
    name: 'TLS: no record',
    rows: ['upgrade.garbage'],
    steps: [...changed(['tls']), { on: 'a', beneath: 'no record at all' }, { on: 'a', rest: true }],
  },
  {
    ...negotiated,
    name: 'TLS: an end in a record',
    rows: ['upgrade.cut'],
    steps: [
      ...changed(['tls']),
      { on: 'a', beneath: '\x17\x03\x03\x00\x40abc' },
      { on: 'a', end: 'beneath' },
      { on: 'a', rest: true },
    ],
  },
  {
    ...negotiated,
    name: 'snappy: an end in a chunk',
    rows: ['upgrade.cut'],
    steps: [
      ...changed(['snappy']),
      { on: 'a', beneath: bytes(`${STREAM_NAME}\x01\x05`) },
      { on: 'a', end: true },
      { on: 'a', rest: true },
    ],
  },
  {
    ...negotiated,
    name: 'deflate: an end in a block',
    rows: ['upgrade.cut'],
    steps: [
      ...changed(['deflate']),
      { on: 'a', beneath: deflateRawSync(bytes('PUB cut-1\n', sized(noise(1000)))).subarray(0, 500) },
      { on: 'a', end: true },
      { on: 'a', rest: true },
    ],
  },
  ...WAYS.map(
    (changes): Case => ({
      ...negotiated,
      name: `commands behind an IDENTIFY that changes the stream: ${nameOf(changes)}`,
      rows: ['upgrade.pipelined'],
      steps: [
        { connect: 'a' },
        {
          on: 'a',
          send: bytes('  V2', identify(...changes.map((change) => WISHES[change])), 'PUB lost-1\n', sized('x')),
        },
        { on: 'a', frames: 1 },
        ...changes.flatMap((change): Step[] => [
          { on: 'a', change },
          { on: 'a', frames: 1 },
        ]),
        { on: 'a', send: bytes('PUB lost-1\n', sized('x')) },
        { on: 'a', frames: 1 },
      ],
    }),
  ),
]

export const changedStreamCases: readonly Case[] = [
  ...negotiationCases,
  ...['-1', '0', '1', '6', '7', '9', '10', '100'].map((value) => level([], value)),
  ...['1', '3', '4', '9'].map((value) => level(['--max-deflate-level=3'], value)),
  level(['--max-deflate-level=9'], '9'),
  ...insideCases,
  ...garbageCases,
]
