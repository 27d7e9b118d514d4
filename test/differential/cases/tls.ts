import { GOOD_SECRET } from '../../interop/auth-server.js'
import { bytes, type Case, fatal, type Step, sized } from '../case.js'
import { changed, ENCRYPTED, identify, ONE_SUITE } from '../changed-stream-steps.js'
import type { TlsWishes } from '../credentials.js'
import { TOPOLOGY_FIELDS } from '../differences.js'

const REQUIRED = [...ENCRYPTED, '--tls-required=true']
const REQUIRED_OF_TCP = [...ENCRYPTED, '--tls-required=tcp-https']
const publish = bytes('PUB encrypted-1\n', sized('x'))

/** A client with such wishes publishes. */
const client = (tls: TlsWishes): Step[] => [
  ...changed(['tls'], [], tls),
  { on: 'a', send: publish },
  { on: 'a', frames: 1 },
]
/** A client that does not get so far. */
const refused = (tls: TlsWishes): Step[] => [
  { connect: 'a' },
  { on: 'a', send: bytes('  V2', identify('"tls_v1":true')) },
  { on: 'a', frames: 1 },
  { on: 'a', change: 'tls', tls },
  { on: 'a', rest: true },
]
const required = (flags: readonly string[]): Case[] => [
  ...['SUB t c\n', 'NOP\n', 'what\n', '\n', 'RDY x\n', 'AUTH\n', publish].map(
    (command): Case => ({
      name: `${String(command).split('\n')[0]} before TLS, ${flags.at(-1)}`,
      rows: ['tls.required'],
      flags,
      steps: fatal(command),
    }),
  ),
  {
    name: `IDENTIFY alone, and a command, ${flags.at(-1)}`,
    rows: ['tls.required'],
    flags,
    steps: fatal('IDENTIFY\n', sized('{}'), publish),
  },
  {
    name: `TLS where it is required, ${flags.at(-1)}`,
    rows: ['tls.required', 'tls.upgrade'],
    flags,
    steps: client({}),
    differs: TOPOLOGY_FIELDS,
  },
  {
    name: `snappy without TLS, and a command, ${flags.at(-1)}`,
    rows: ['tls.required', 'snappy.upgrade'],
    flags,
    steps: [...changed(['snappy']), { on: 'a', send: publish }, { on: 'a', rest: true }],
    differs: TOPOLOGY_FIELDS,
  },
]

const http = (name: string, row: string, flags: readonly string[], ...steps: Step[]): Case => ({
  name: `${name}, ${flags.at(-1)}`,
  rows: [row],
  flags,
  steps,
})

/** With and without a certificate, of TLS 1.2, where a refusal is part of the handshake, and 1.3, where it comes behind it. */
const policyCases = (policy: string, row: string, accepted: readonly TlsWishes['certificate'][]): Case[] =>
  (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) =>
    ([undefined, 'own', 'signed'] as const).flatMap((certificate): Case[] => {
      const flags = [...ENCRYPTED, '--tls-root-ca-file={ca}', `--tls-client-auth-policy=${policy}`]
      const tls: TlsWishes = { version, ...(certificate === undefined ? {} : { certificate }) }
      const isAccepted = accepted.includes(certificate)
      const differs =
        isAccepted || certificate === undefined ? TOPOLOGY_FIELDS : 'a client certificate that will not do'
      const name = `${version} with ${certificate ?? 'no'} certificate, ${policy}`
      return [
        { name, rows: [row], flags, steps: isAccepted ? client(tls) : refused(tls), differs },
        { name: `HTTPS, ${name}`, rows: [row, 'https'], flags, steps: [{ request: 'GET /ping', tls }] },
      ]
    }),
  )

export const tlsCases: readonly Case[] = [
  {
    name: 'the suite, where a client has several',
    rows: ['tls.upgrade'],
    flags: ENCRYPTED,
    steps: [
      ...changed(['tls'], [], { version: 'TLSv1.3' }),
      { on: 'a', send: 'SUB suite c\n' },
      { on: 'a', frames: 1 },
      { request: 'GET /stats?format=json&include_mem=false&topic=suite' },
    ],
    differs: "TLS's suite, where a client has several",
  },
  ...(
    [
      ['TLSv1.2', ONE_SUITE['TLSv1.2']],
      ['TLSv1.3', ONE_SUITE['TLSv1.3']],
      // without a name in nsqd
      ['TLSv1.2', 'ECDHE-ECDSA-AES256-GCM-SHA384'],
      ['TLSv1.2', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
      ['TLSv1.3', 'TLS_CHACHA20_POLY1305_SHA256'],
    ] as const
  ).map(
    ([version, ciphers]): Case => ({
      name: `what the statistics say of ${version} with ${ciphers}`,
      rows: ['tls.upgrade', 'http.stats.json'],
      flags: ENCRYPTED,
      steps: [
        ...changed(['tls'], [], { version, ciphers }),
        { on: 'a', send: `SUB suite-${ciphers} c\n` },
        { on: 'a', frames: 1 },
        { request: `GET /stats?format=json&include_mem=false&topic=suite-${ciphers}` },
      ],
      differs: TOPOLOGY_FIELDS,
    }),
  ),
  ...[ENCRYPTED, [...ENCRYPTED, '--tls-min-version=tls1.0']].flatMap((flags) =>
    (['TLSv1', 'TLSv1.1'] as const).map(
      (version): Case => ({
        name: `${version}, ${flags.slice(3).join(' ') || 'no flag'}`,
        rows: ['tls.min-version'],
        flags,
        steps: client({ version }),
        differs: flags === ENCRYPTED ? 'the oldest TLS, unless `--tls-min-version` says so' : TOPOLOGY_FIELDS,
      }),
    ),
  ),
  ...(['TLSv1.2', 'TLSv1.3'] as const).map(
    (version): Case => ({
      name: `${version} where 1.3 is the oldest`,
      rows: ['tls.min-version'],
      flags: [...ENCRYPTED, '--tls-min-version=tls1.3'],
      steps: version === 'TLSv1.3' ? client({ version }) : refused({ version }),
      differs: TOPOLOGY_FIELDS,
    }),
  ),
  ...required(REQUIRED),
  ...required(REQUIRED_OF_TCP),
  ...required([...ENCRYPTED, '--tls-client-auth-policy=whatever']),
  ...policyCases('require', 'tls.client-auth', ['own', 'signed']),
  ...policyCases('require-verify', 'tls.client-auth', ['signed']),
  {
    name: 'a certificate shown to the auth server',
    rows: ['auth.ok', 'tls.upgrade'],
    flags: [...ENCRYPTED, '--tls-client-auth-policy=require', '--auth-http-address={auth}'],
    steps: [
      ...changed(['tls'], [], { certificate: 'signed' }),
      { on: 'a', send: bytes('AUTH\n', sized(GOOD_SECRET)) },
      { on: 'a', frames: 1 },
    ],
    differs: TOPOLOGY_FIELDS,
  },
  ...[
    ['no record', 'no ClientHello at all'],
    ['commands in the open', publish],
    ['a record of no known kind', bytes('\x63\x03\x01\x00\x02ab')],
    ['a handshake of no known kind', bytes('\x16\x03\x01\x00\x05\xff\x00\x00\x01a')],
    ['an alert', bytes('\x15\x03\x01\x00\x02\x02\x28')],
  ].map(
    ([what, garbage]): Case => ({
      name: `${what} instead of a ClientHello`,
      rows: ['tls.handshake'],
      flags: ENCRYPTED,
      steps: [
        { connect: 'a' },
        { on: 'a', send: bytes('  V2', identify('"tls_v1":true')) },
        { on: 'a', frames: 1 },
        { on: 'a', send: garbage },
        { on: 'a', rest: true },
      ],
      differs: 'a handshake that fails',
    }),
  ),
  {
    name: 'an end instead of a ClientHello',
    rows: ['tls.handshake', 'upgrade.cut'],
    flags: ENCRYPTED,
    steps: [
      { connect: 'a' },
      { on: 'a', send: bytes('  V2', identify('"tls_v1":true')) },
      { on: 'a', frames: 1 },
      { on: 'a', end: true },
      { on: 'a', rest: true },
    ],
    differs: 'a handshake that fails',
  },
  {
    name: 'an end in a ClientHello',
    rows: ['tls.handshake', 'upgrade.cut'],
    flags: ENCRYPTED,
    steps: [
      { connect: 'a' },
      { on: 'a', send: bytes('  V2', identify('"tls_v1":true')) },
      { on: 'a', frames: 1 },
      { on: 'a', send: bytes('\x16\x03\x01\x02\x00\x01\x00\x01') },
      { on: 'a', end: true },
      { on: 'a', rest: true },
    ],
    differs: 'a handshake that fails',
  },
  http(
    'HTTPS',
    'https',
    ENCRYPTED,
    { request: 'GET /ping', tls: {} },
    { request: 'POST /pub?topic=https-1', body: 'x', tls: {} },
    { request: 'GET /nothing', tls: {} },
  ),
  http('plain HTTP beside HTTPS', 'https', ENCRYPTED, { request: 'GET /ping' }),
  http(
    'plain HTTP',
    'http.tls-required',
    REQUIRED,
    { request: 'GET /ping' },
    { request: 'POST /pub?topic=https-2', body: 'x' },
    { request: 'GET /nothing' },
    { request: 'PUT /config/log_level' },
    { request: 'OPTIONS /pub' },
    { request: 'HEAD /ping' },
  ),
  http(
    'HTTPS',
    'https',
    REQUIRED,
    { request: 'GET /ping', tls: {} },
    { request: 'POST /pub?topic=https-3', body: 'x', tls: {} },
  ),
  http(
    'plain HTTP',
    'http.tls-required',
    REQUIRED_OF_TCP,
    { request: 'GET /ping' },
    { request: 'POST /pub?topic=https-4', body: 'x' },
  ),
  http('HTTPS', 'https', REQUIRED_OF_TCP, { request: 'GET /ping', tls: {} }),
  http(
    'the policy in /config',
    'http.config',
    REQUIRED_OF_TCP,
    { request: 'GET /config/tls_required' },
    { request: 'GET /config/tls_client_auth_policy' },
  ),
]
