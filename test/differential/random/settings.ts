import type { Random } from '../../support/random.js'
import { ENCRYPTED } from '../changed-stream-steps.js'

/** What brokers take at most. */
export interface Limits {
  readonly msgBytesMax: number
  readonly bodyBytesMax: number
  readonly readyCountMax: number
  readonly delayMsMax: number
}

/** How the brokers of a conversation were started. */
export interface Setting {
  readonly flags: readonly string[]
  readonly limits: Limits
  /** What clients must do first. */
  readonly first: 'nothing' | 'tls' | 'auth'
}

const DEFAULTS: Limits = {
  msgBytesMax: 1_048_576,
  bodyBytesMax: 5_242_880,
  readyCountMax: 2500,
  delayMsMax: 3_600_000,
}

export const USUAL: Setting = { flags: ENCRYPTED, limits: DEFAULTS, first: 'nothing' }

/** Limits that conversations run into all the time. */
export const NARROW: Setting = {
  flags: [
    ...ENCRYPTED,
    '--max-msg-size=100',
    '--max-body-size=250',
    '--max-rdy-count=5',
    '--max-req-timeout=90s',
    '--max-msg-timeout=70s',
    '--max-heartbeat-interval=5s',
    '--max-output-buffer-size=1000',
    '--max-output-buffer-timeout=300ms',
    '--min-output-buffer-timeout=100ms',
    '--max-deflate-level=2',
  ],
  limits: { msgBytesMax: 100, bodyBytesMax: 250, readyCountMax: 5, delayMsMax: 90_000 },
  first: 'nothing',
}

const TLS_FIRST: Setting = { flags: [...ENCRYPTED, '--tls-required=tcp-https'], limits: DEFAULTS, first: 'tls' }
const AUTH_FIRST: Setting = { flags: [...ENCRYPTED, '--auth-http-address={auth}'], limits: DEFAULTS, first: 'auth' }

export const drawSetting = (random: Random): Setting =>
  random.pick([USUAL, USUAL, USUAL, USUAL, USUAL, NARROW, NARROW, NARROW, TLS_FIRST, AUTH_FIRST])
