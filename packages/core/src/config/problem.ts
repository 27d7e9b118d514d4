import { BrokerError } from '../errors.js'

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  readonly code: 'E_CONFIG' | 'E_PLUGIN'
  /** The configuration's {@link ConfigSource.label}. */
  readonly file: string
  /** JSON pointer (RFC 6901) of the place; `''` is the whole file. */
  readonly pointer: string
  /** What stands there. */
  readonly found: string
  /** What may stand there. */
  readonly expected: string
  /** The key or value that was probably meant. */
  readonly nearest?: string
}

/** The problem in one line, for people. */
export function describeProblem(problem: ConfigProblem): string {
  const { file, pointer } = problem
  return `${pointer === '' ? file : `${file}: ${pointer}`}: ${describeMistake(problem)}`
}

/** The same without its place. Where a guess can be made, it stands instead of everything that would be allowed. */
export function describeMistake({ found, expected, nearest }: ConfigProblem): string {
  return nearest === undefined ? `found ${found}, expected ${expected}` : `found ${found}; did you mean "${nearest}"?`
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends BrokerError {
  readonly problems: readonly ConfigProblem[]

  /** @param problems - at least one */
  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const code = problems.every((problem) => problem.code === 'E_PLUGIN') ? 'E_PLUGIN' : 'E_CONFIG'
    super(code, problems.map(describeProblem).join('\n'), options)
    this.problems = problems
  }
}

/** The pointer of a key or index below `pointer`. */
export function pointerTo(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
}
