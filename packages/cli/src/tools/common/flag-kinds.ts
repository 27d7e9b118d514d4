import type { GoFlag } from '../../go-flags.js'
import { parseGoBoolean, parseGoDurationMs, parseGoInteger } from '../../go-values.js'

function flag<T>(usage: string, valueName: string, defaultText: string, parse: (text: string) => T): GoFlag<T> {
  return { usage, valueName, defaultText, isBoolean: false, isRepeatable: false, parse }
}

/** @param defaultText - of all of these: for the usage text; what a flag is without being given is the tool's business */
export const text = (usage: string, defaultText = '') => flag(usage, 'string', defaultText, (value) => value)
export const integer = (usage: string, defaultText = '') => flag(usage, 'int', defaultText, parseGoInteger)
export const duration = (usage: string, defaultText = '') => flag(usage, 'duration', defaultText, parseGoDurationMs)
export const number = (usage: string, defaultText = '') => flag(usage, 'float', defaultText, parseNumber)

export const boolean = (usage: string): GoFlag<boolean> => ({
  ...flag(usage, '', '', parseGoBoolean),
  isBoolean: true,
})

/** May be given several times; every value counts. */
export const texts = (usage: string): GoFlag<string[]> => ({
  ...flag(`${usage} (may be given several times)`, 'value', '', (value) => [value]),
  isRepeatable: true,
})

function parseNumber(value: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) throw new Error('parse error')
  return Number(value)
}
