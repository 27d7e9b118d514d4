import { GOOD_SECRET } from '../../interop/auth-server.js'
import { answered, bytes, type Case, fatal, int32, sized } from '../case.js'
import { TOPOLOGY_FIELDS } from '../differences.js'

/** `{auth}` stands for the address of an auth server that lets `GOOD_SECRET` do everything on topics that begin with `open-`. */
const flags = ['--auth-http-address={auth}']
const known = bytes('AUTH\n', sized(GOOD_SECRET))

const publishes = (topic: string): readonly (readonly [command: string, body: Buffer])[] => [
  [`PUB ${topic}`, sized('x')],
  [`DPUB ${topic} 0`, sized('x')],
  [`MPUB ${topic}`, sized(int32(1), sized('x'))],
]

export const authCases: readonly Case[] = [
  { name: 'AUTH with a secret that is known', rows: ['auth.ok'], flags, steps: answered(1, known) },
  {
    name: 'IDENTIFY where everybody must authenticate',
    rows: ['auth.ok', 'identify.json'],
    flags,
    steps: answered(1, 'IDENTIFY\n', sized('{"feature_negotiation":true}')),
    differs: TOPOLOGY_FIELDS,
  },
  {
    name: 'AUTH with a secret that nobody knows',
    rows: ['auth.unknown'],
    flags,
    steps: fatal('AUTH\n', sized('wrong')),
  },
  { name: 'AUTH twice', rows: ['auth.again'], flags, steps: fatal(known, known) },
  {
    name: 'AUTH while no server answers',
    rows: ['auth.failed'],
    flags: ['--auth-http-address=127.0.0.1:1'],
    steps: fatal(known),
  },
  {
    name: 'what a secret allows',
    rows: ['auth.ok'],
    flags,
    steps: answered(5, known, ...publishes('open-1').flatMap(([line, body]) => [`${line}\n`, body]), 'SUB open-1 c\n'),
  },
  {
    name: 'SUB to what a secret does not allow',
    rows: ['auth.unauthorized'],
    flags,
    steps: fatal(known, 'SUB closed-1 c\n'),
  },
  ...publishes('closed-1').map(
    ([line, body]): Case => ({
      name: `${line}, which a secret does not allow`,
      rows: ['auth.unauthorized'],
      flags,
      steps: fatal(known, `${line}\n`, body),
    }),
  ),
  {
    name: 'HTTP where V2 clients must authenticate',
    rows: ['auth.http'],
    flags,
    steps: [{ request: 'POST /pub?topic=http-open-1', body: 'x' }, { request: 'GET /ping' }],
  },
]
