import assert from 'node:assert/strict'
import { STRFTIME_TOKENS, strftime } from '../../../src/tools/nsq-to-file/strftime.js'

const kept = process.env.TZ

describe('strftime', () => {
  afterEach(() => {
    if (kept === undefined) delete process.env.TZ
    else process.env.TZ = kept
  })

  const format = [...STRFTIME_TOKENS].map((token) => `%${token}`).join('|')

  it('writes every token in local time', () => {
    process.env.TZ = 'Europe/Berlin'
    assert.equal(format, '%B|%b|%m|%A|%a|%d|%H|%I|%M|%S|%Y|%y|%p|%Z|%z|%%')
    const winter = new Date('2026-02-03T22:04:05Z')
    assert.equal(strftime(format, winter), 'February|Feb|02|Tuesday|Tue|03|23|11|04|05|2026|26|PM|CET|+0100|%')
    const summer = new Date('2026-07-19T00:00:00Z')
    assert.equal(strftime('%Y-%m-%d_%H %Z%z', summer), '2026-07-19_02 CEST+0200')
  })

  it('knows west, half hours, and zones without a name of their own', () => {
    const time = new Date('2026-11-29T12:00:00Z')
    const zones: [string, string][] = [
      ['UTC', '12:00 UTC+0000'],
      ['America/New_York', '07:00 EST-0500'],
      ['Asia/Kolkata', '17:30 IST+0530'],
      ['Europe/Istanbul', '15:00 +03+0300'],
    ]
    for (const [zone, text] of zones) {
      process.env.TZ = zone
      assert.equal(strftime('%H:%M %Z%z', time), text)
    }
  })

  it('midnight and noon are 12 on the clock with two halves', () => {
    process.env.TZ = 'UTC'
    assert.equal(strftime('%I%p', new Date('2026-01-01T00:30:00Z')), '12AM')
    assert.equal(strftime('%I%p', new Date('2026-01-01T12:30:00Z')), '12PM')
  })

  it('leaves what it does not know as it is', () => {
    process.env.TZ = 'UTC'
    assert.equal(strftime('%q-%-d-2006-Jan-%', new Date('2026-01-01T00:00:00Z')), '%q-%-d-2006-Jan-%')
  })
})
