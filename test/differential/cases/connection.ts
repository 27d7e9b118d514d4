import { answered, bytes, type Case, fatal } from '../case.js'

const LONG = 'x'.repeat(16 * 1024)

export const connectionCases: readonly Case[] = [
  {
    name: 'another magic',
    rows: ['magic.wrong'],
    steps: [{ connect: 'a' }, { on: 'a', send: '  V1' }, { on: 'a', rest: true }],
  },
  {
    name: 'an HTTP request on the V2 port',
    rows: ['magic.wrong'],
    steps: [{ connect: 'a' }, { on: 'a', send: 'GET ' }, { on: 'a', rest: true }],
  },
  {
    name: 'an end before the magic',
    rows: ['magic.cut'],
    steps: [{ connect: 'a' }, { on: 'a', send: '  V' }, { on: 'a', end: true }, { on: 'a', rest: true }],
  },
  { name: 'a carriage return', rows: ['line.crlf'], steps: answered(1, 'SUB cr-1 c\r\n') },
  { name: 'small letters', rows: ['line.case'], steps: fatal('sub t c\n') },
  { name: 'two spaces', rows: ['line.double-space'], steps: fatal('SUB  t c\n') },
  { name: 'surplus parameters', rows: ['line.surplus'], steps: answered(1, 'SUB surplus-1 c more and more\n') },
  { name: 'a long line', rows: ['line.too-long'], steps: fatal(`PUB ${LONG}\n`) },
  { name: 'an empty line', rows: ['line.empty'], steps: fatal('\n') },
  { name: 'an unknown command', rows: ['command.unknown'], steps: fatal('WHAT is that\n') },
  { name: 'an unknown command of any bytes', rows: ['command.unknown'], steps: fatal(bytes('\xff\x01\x80 x\n')) },
  ...['a"b', 'a\\b', 'a\x01b', 'ä', '€', 'a\x7fb', '\xff', 'a\tb', '\u{1f600}'].map(
    (name, index): Case => ({
      name: `a name in quotes, ${index}`,
      rows: ['quote.escapes'],
      steps: fatal('SUB ', Buffer.from(name, index === 6 ? 'latin1' : 'utf8'), ' c\n'),
    }),
  ),
  { name: 'NOP', rows: ['nop'], steps: answered(1, 'NOP\nNOP\nSUB nop-1 c\n') },
  ...['RDY 1', 'FIN 0123456789abcdef', 'REQ 0123456789abcdef 0', 'TOUCH 0123456789abcdef', 'CLS'].map(
    (line): Case => ({ name: `${line} before SUB`, rows: ['state.init'], steps: fatal(`${line}\n`) }),
  ),
  ...['IDENTIFY', 'AUTH', 'SUB a b'].map(
    (line): Case => ({
      name: `${line} after SUB`,
      rows: ['state.subscribed'],
      steps: fatal(`SUB after-sub-1 c\n${line}\n`),
    }),
  ),
  ...['IDENTIFY', 'AUTH', 'SUB a b', 'CLS'].map(
    (line): Case => ({
      name: `${line} after CLS`,
      rows: ['state.closing'],
      steps: fatal(`SUB after-cls-1 c\nCLS\n${line}\n`),
    }),
  ),
  {
    name: 'RDY, NOP and FIN after CLS',
    rows: ['state.closing', 'cls'],
    steps: answered(3, 'SUB after-cls-2 c\nCLS\nRDY what\nNOP\nFIN 0123456789abcdef\n'),
  },
  {
    name: 'publishes in every state',
    rows: ['state.publish'],
    steps: answered(
      6,
      bytes('PUB states-1\n\0\0\0\x01x', 'SUB states-2 c\n', 'PUB states-1\n\0\0\0\x01x', 'CLS\n'),
      bytes('DPUB states-1 10\n\0\0\0\x01x', 'MPUB states-1\n\0\0\0\x09\0\0\0\x01\0\0\0\x01x'),
    ),
  },
]
