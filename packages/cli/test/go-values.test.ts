import assert from 'node:assert/strict'
import { parseGoBoolean, parseGoDurationMs, parseGoInteger } from '../src/go-values.js'
import { parseSizeBytes } from '../src/size.js'

function accepts<T>(parse: (text: string) => T, cases: Record<string, T>): void {
  for (const [text, value] of Object.entries(cases)) assert.equal(parse(text), value, text)
}

function refuses(parse: (text: string) => unknown, texts: readonly string[]): void {
  for (const text of texts) assert.throws(() => parse(text), Error, JSON.stringify(text))
}

describe('parseGoDurationMs', () => {
  it('adds up numbers with units', () => {
    accepts(parseGoDurationMs, {
      '5s': 5_000,
      '250ms': 250,
      '1m30s': 90_000,
      '1h': 3_600_000,
      '1.5h': 5_400_000,
      '.5s': 500,
      '1.s': 1_000,
      '1500us': 1.5,
      '2µs': 0.002,
      '2μs': 0.002,
      '1000000ns': 1,
      '-2s': -2_000,
      '+2s': 2_000,
      '0': 0,
      '0s': 0,
    })
  })

  it('refuses a number without its unit, and anything else', () => {
    refuses(parseGoDurationMs, ['5', '', ' 5s', '5s ', '5 s', 's', '.s', '5S', '5sec', '1m30', '--5s', 'x', '1d'])
  })
})

describe('parseGoInteger', () => {
  it('takes decimal, prefixed and octal numbers', () => {
    accepts(parseGoInteger, {
      '10': 10,
      '-10': -10,
      '+3': 3,
      '0': 0,
      '0x10': 16,
      '0b101': 5,
      '0o17': 15,
      '017': 15,
      '1_000': 1_000,
    })
  })

  it('refuses fractions, letters and what is too large to be exact', () => {
    refuses(parseGoInteger, ['', '1.5', 'ten', '1e3', '0x', '09', '1__0', '_1', '9007199254740993', ' 1'])
  })
})

describe('parseGoBoolean', () => {
  it('takes the words that Go takes', () => {
    accepts(parseGoBoolean, { '1': true, t: true, TRUE: true, True: true, '0': false, F: false, false: false })
    refuses(parseGoBoolean, ['', 'yes', 'tRUE', 'no', '2'])
  })
})

describe('parseSizeBytes', () => {
  it('takes bytes, and units of a thousand or 1024', () => {
    accepts(parseSizeBytes, {
      '1000': 1_000,
      '5B': 5,
      '2kB': 2_000,
      '1.5 KiB': 1_536,
      '512MiB': 536_870_912,
      '2gb': 2e9,
    })
  })

  it('refuses what is no size', () => {
    refuses(parseSizeBytes, ['', 'big', '-1', '1K', '1M', '5 apples', '1 i'])
  })
})
