/** One flag, as Go's `flag` package would define it. */
export interface GoFlag<T = unknown> {
  /** What it does, for the usage text. */
  readonly usage: string
  /** What its value is called there; a boolean has none. */
  readonly valueName: string
  /** The default, as text; empty when there is nothing to say. */
  readonly defaultText: string
  /** A bare flag means true, so a value needs `=`. */
  readonly isBoolean: boolean
  /** Every occurrence counts; otherwise the last one does. */
  readonly isRepeatable: boolean
  /** @throws Error with what is wrong, in a few words */
  parse(text: string): T
}

/** The values of the flags that were given. */
export type FlagValues<F extends Record<string, GoFlag>> = {
  readonly [Name in keyof F]?: F[Name] extends GoFlag<infer T> ? T : never
}

/** Wrong usage: a line for the user, who then gets the usage text and exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export interface ParsedFlags<F extends Record<string, GoFlag>> {
  readonly values: FlagValues<F>
  /** The same as they were typed; the last one of each. */
  readonly texts: Readonly<Record<string, string>>
  /** From the first argument on that is no flag. */
  readonly rest: readonly string[]
  readonly wantsHelp: boolean
}

/**
 * Parses arguments as Go's `flag` does: one dash or two, `-name=value` or `-name value`, booleans only with `=`, and nothing
 * is a flag any more after the first argument that is none, or after `--`.
 * @throws UsageError
 */
export function parseGoFlags<F extends Record<string, GoFlag>>(flags: F, args: readonly string[]): ParsedFlags<F> {
  const values: Record<string, unknown> = {}
  const texts: Record<string, string> = {}
  let index = 0
  while (index < args.length) {
    const argument = args[index]
    if (!argument.startsWith('-') || argument === '-') break
    index++
    if (argument === '--') break
    const [, name, , inlineValue] = /^--?([^-=][^=]*)(=(.*))?$/s.exec(argument) ?? []
    if (name === undefined) throw new UsageError(`bad flag syntax: ${argument}`)
    if (!Object.hasOwn(flags, name)) {
      if (name === 'h' || name === 'help') return { values: {}, texts: {}, rest: [], wantsHelp: true }
      throw new UsageError(`flag provided but not defined: -${name}`)
    }
    const flag = flags[name]
    const text = inlineValue ?? (flag.isBoolean ? 'true' : args[index++])
    if (text === undefined) throw new UsageError(`flag needs an argument: -${name}`)
    const value = parseValue(flag, name, text)
    texts[name] = text
    values[name] = flag.isRepeatable
      ? [...((values[name] as unknown[] | undefined) ?? []), ...(value as unknown[])]
      : value
  }
  return { values: values as FlagValues<F>, texts, rest: args.slice(index), wantsHelp: false }
}

function parseValue(flag: GoFlag, name: string, text: string): unknown {
  try {
    return flag.parse(text)
  } catch (error) {
    const kind = flag.isBoolean ? 'boolean value' : 'value'
    throw new UsageError(`invalid ${kind} ${JSON.stringify(text)} for flag -${name}: ${(error as Error).message}`)
  }
}

/** The usage text: every flag with what it does and its default. */
export function describeFlags(flags: Record<string, GoFlag>): string {
  return Object.entries(flags)
    .map(([name, flag]) => {
      const value = flag.valueName === '' ? '' : ` ${flag.valueName}`
      const suffix = flag.defaultText === '' ? '' : ` (default ${flag.defaultText})`
      return `  -${name}${value}\n    \t${flag.usage}${suffix}`
    })
    .join('\n')
}
