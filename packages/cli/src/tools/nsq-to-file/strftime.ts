import { zoneNameAt } from './zone-name.js'

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const WEEKDAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

const two = (value: number): string => String(value).padStart(2, '0')

const TOKENS: Readonly<Record<string, (time: Date) => string>> = {
  B: (time) => MONTHS[time.getMonth()],
  b: (time) => MONTHS[time.getMonth()].slice(0, 3),
  m: (time) => two(time.getMonth() + 1),
  A: (time) => WEEKDAYS[time.getDay()],
  a: (time) => WEEKDAYS[time.getDay()].slice(0, 3),
  d: (time) => two(time.getDate()),
  H: (time) => two(time.getHours()),
  I: (time) => two(time.getHours() % 12 || 12),
  M: (time) => two(time.getMinutes()),
  S: (time) => two(time.getSeconds()),
  Y: (time) => String(time.getFullYear()).padStart(4, '0'),
  y: (time) => two(time.getFullYear() % 100),
  p: (time) => (time.getHours() < 12 ? 'AM' : 'PM'),
  Z: zoneNameAt,
  z: (time) => {
    const minutes = -time.getTimezoneOffset()
    const size = Math.abs(minutes)
    return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`
  },
  '%': () => '%',
}

/** What may stand behind a `%`. */
export const STRFTIME_TOKENS: readonly string[] = Object.keys(TOKENS)

/** A date and time in local time; a `%` before anything else stays as it is. */
export function strftime(format: string, time: Date): string {
  return format.replace(/%(.)/gs, (whole, token: string) => TOKENS[token]?.(time) ?? whole)
}
