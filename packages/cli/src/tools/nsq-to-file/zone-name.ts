import { readFileSync } from 'node:fs'

const FOLDER = '/usr/share/zoneinfo/'

/** A zone's names as POSIX writes them: `CET-1CEST,M3.5.0,M10.5.0/3`, `<+03>-3`. Hours count westward there. */
const NAME = '(<[^>]+>|[A-Za-z]{3,})'
const OFFSET = '([+-]?\\d{1,3}(?::\\d\\d){0,2})'
const POSIX_ZONE = new RegExp(`^${NAME}${OFFSET}(?:${NAME}${OFFSET}?)?`)

interface ZoneName {
  readonly name: string
  readonly offsetMinutes: number
}

const namesByZone = new Map<string, readonly ZoneName[]>()

/** What the local time zone is called at that moment: `CET`, `CEST`, `UTC`. Where it has no name of its own, its offset: `+03`. */
export function zoneNameAt(time: Date): string {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  let names = namesByZone.get(zone)
  if (names === undefined) {
    names = readNames(zone)
    namesByZone.set(zone, names)
  }
  const offsetMinutes = -time.getTimezoneOffset()
  return names.find((each) => each.offsetMinutes === offsetMinutes)?.name ?? shortName(time)
}

/** Of the last line of its file in the system's database, which says how it is from the last change of the rules on. */
function readNames(zone: string): readonly ZoneName[] {
  let line: string
  try {
    line =
      readFileSync(FOLDER + zone, 'latin1')
        .trimEnd()
        .split('\n')
        .at(-1) ?? ''
  } catch {
    return []
  }
  const [, standard, standardOffset, summer, summerOffset] = POSIX_ZONE.exec(line) ?? []
  if (standard === undefined) return []
  const offsetMinutes = eastward(standardOffset)
  const names = [{ name: bare(standard), offsetMinutes }]
  if (summer !== undefined) {
    const summerMinutes = summerOffset === undefined ? offsetMinutes + 60 : eastward(summerOffset)
    names.push({ name: bare(summer), offsetMinutes: summerMinutes })
  }
  return names
}

const bare = (name: string): string => name.replace(/[<>]/g, '')

function eastward(offset: string): number {
  const [hours, minutes = '0'] = offset.replace(/^[+-]/, '').split(':')
  const total = Number(hours) * 60 + Number(minutes)
  // Not -0.
  return offset.startsWith('-') ? total : 0 - total
}

function shortName(time: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(time)
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
  const [, sign, hours, minutes = ''] = /^GMT([+-])(\d+)(?::(\d+))?$/.exec(name) ?? []
  return sign === undefined ? name : `${sign}${hours.padStart(2, '0')}${minutes}`
}
