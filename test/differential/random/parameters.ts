import type { Random } from '../../support/random.js'
import type { Limits } from './settings.js'

const NAME_BYTES_MAX = 64
const EPHEMERAL = '#ephemeral'

const upTo = (text: string, sizeBytes: number): string => text + 'n'.repeat(sizeBytes - text.length)

/** Names that topics and channels may have, all of which begin with `base`. */
export const goodNames = (base: string): readonly string[] => [
  base,
  `${base}.a_B-9`,
  upTo(base, NAME_BYTES_MAX),
  `${base}${EPHEMERAL}`,
  `${upTo(base, NAME_BYTES_MAX - EPHEMERAL.length)}${EPHEMERAL}`,
]

/** Names that nothing may have. Bytes, as characters. */
export const badNames = (base: string): readonly string[] => [
  '',
  EPHEMERAL,
  upTo(base, NAME_BYTES_MAX + 1),
  `${upTo(base, NAME_BYTES_MAX - EPHEMERAL.length + 1)}${EPHEMERAL}`,
  `${base}${EPHEMERAL}${EPHEMERAL}`,
  `${base}#ephemera`,
  `${base}#Ephemeral`,
  `${EPHEMERAL}${base}`,
  `${base}/x`,
  `${base}:x`,
  `${base}*`,
  `${base}%20x`,
  `${base}"x`,
  `${base}\\x`,
  `${base}'x`,
  `${base}\tx`,
  `${base}\0x`,
  `${base}\x7f`,
  `${base}\x1b[0m`,
  `${base}\xe4`,
  Buffer.from(`${base}ä€\u{1f600}`).toString('latin1'),
  // no character, though UTF-8 might have it: a surrogate, one that is written too long, one beyond the last
  `${base}\xed\xa0\x80`,
  `${base}\xc0\xaf`,
  `${base}\xf4\x90\x80\x80`,
  `${base}\xe2\x82`,
  Buffer.from(`${base}\u00a0\u00ad\u2028\ufeff\ufffd\u0301\ue000`).toString('latin1'),
  'n'.repeat(1000),
]

/** Whole numbers as clients write them, and as they should not. */
export function numberText(random: Random, ...limits: readonly number[]): string {
  const near = random.pick(limits) + random.pick([-1, 0, 0, 1])
  return random.pick([
    String(near),
    String(near),
    String(near),
    String(random.between(0, 100)),
    random.pick(['0', '00', `000${Math.abs(near)}`, '', '-0', '-1', '+1', `+${Math.abs(near)}`]),
    random.pick(['1.5', '1.0', '1e3', '0x10', '1_000', '１', 'x', '1x', '1s', '\0', '1\t', 'NaN', 'Infinity']),
    random.pick(['2147483647', '2147483648', '4294967296', '9007199254740993', '99999999999999999']),
    random.pick(['9223372036854', '9223372036855', '9223372036854775807', '9223372036854775808']),
    random.pick([
      '18446744073710',
      '18446744073709551615',
      '18446744073709551616',
      '18446744073709551617',
      '9'.repeat(40),
    ]),
  ])
}

/** Sizes of what has to be between 1 and `sizeBytesMax`. */
export const badSizes = (sizeBytesMax: number): readonly number[] => [
  0,
  -1,
  -2_147_483_648,
  sizeBytesMax + 1,
  2_147_483_647,
]

/** Some of `choices`, in their order. */
export const someOf = <T>(random: Random, choices: readonly T[], probability: number): T[] =>
  choices.filter(() => random.chance(probability))

export const randomBytes = (random: Random, sizeBytes: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: sizeBytes }, () => random.between(0, 255)))

/** The smallest message takes five bytes, behind four of the count. */
export const mpubCountMax = ({ bodyBytesMax }: Limits): number => Math.floor((bodyBytesMax - 4) / 5)
