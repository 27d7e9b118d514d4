import { hostname } from 'node:os'
import { FatalError } from '../common/fatal-error.js'
import { strftime } from './strftime.js'

export interface FileNameOptions {
  /** With the tokens `<TOPIC>`, `<HOST>`, `<PID>`, `<DATETIME>` and `<REV>`; folders by `/`. */
  readonly format: string
  /** For `<DATETIME>`, as strftime takes it. */
  readonly datetimeFormat: string
  /** For `<HOST>`, with the tokens `<SHORT_HOST>` and `<HOSTNAME>`; empty: the host's name up to its first dot. */
  readonly hostIdentifier: string
  readonly isCompressed: boolean
  /** A file may have to be told from an earlier one of the same name. */
  readonly needsRevision: boolean
}

const REVISION = '<REV>'

/** A topic that cannot be written to files; others can. */
export class UnusableTopicError extends FatalError {}

/** `..` is a topic's name too: whoever may publish must not say in which folders files are. */
function requireNoFolder(topic: string, format: string): void {
  const dotsIn = (path: string): number => path.split('/').filter((name) => name === '.' || name === '..').length
  const template = format.replaceAll(REVISION, '')
  if (dotsIn(template.replaceAll('<TOPIC>', () => topic)) === dotsIn(template)) return
  throw new UnusableTopicError(`topic ${topic} would be another folder in --filename-format`)
}

/** What the files of one topic are called. */
export class FileName {
  readonly #template: string
  readonly #datetimeFormat: string

  /** @throws FatalError when the format has no place for a revision that is needed, UnusableTopicError */
  constructor(topic: string, options: FileNameOptions, host = hostname(), pid = process.pid) {
    const { format, datetimeFormat, hostIdentifier, isCompressed, needsRevision } = options
    if (needsRevision && !format.includes(REVISION)) {
      throw new FatalError('missing <REV> in --filename-format when gzip, rotation, or work dir enabled')
    }
    requireNoFolder(topic, format)
    const shortHost = host.split('.')[0]
    const identifier = (hostIdentifier || shortHost)
      .replaceAll('<SHORT_HOST>', () => shortHost)
      .replaceAll('<HOSTNAME>', () => host)
    const template = (needsRevision ? format : format.replaceAll(REVISION, ''))
      .replaceAll('<TOPIC>', () => topic)
      .replaceAll('<HOST>', () => identifier)
      .replaceAll('<PID>', String(pid))
    this.#template = isCompressed && !template.endsWith('.gz') ? `${template}.gz` : template
    this.#datetimeFormat = datetimeFormat
  }

  /** At that moment, still with the place for its revision. */
  at(wallMs: number): string {
    const datetime = strftime(this.#datetimeFormat, new Date(wallMs))
    // Given as a function, a value with a $ is taken as it is.
    return this.#template.replaceAll('<DATETIME>', () => datetime)
  }
}

/** `<REV>` becomes `-000017`. */
export function withRevision(name: string, revision: number): string {
  return name.replaceAll(REVISION, `-${String(revision).padStart(6, '0')}`)
}
