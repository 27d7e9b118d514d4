import { type ConfigProblem, pointerTo } from './problem.js'

/** What {@link substituteEnvironment} made of a value. */
export interface Substitution {
  readonly value: unknown
  /** JSON pointers of the strings that changed, with the text that stood there. */
  readonly substituted: ReadonlyMap<string, string>
  readonly problems: readonly ConfigProblem[]
}

// `$${` stands for a literal `${`; otherwise a name with an optional default, or something malformed that begins like one.
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{[^}]*\}?/g

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every string of a JSON value (not in keys) by the environment's variables.
 * As in a shell, the default also stands in for an empty variable. `$${` is a literal `${`.
 */
export function substituteEnvironment(
  root: unknown,
  env: Readonly<Record<string, string | undefined>>,
  file: string,
): Substitution {
  const substituted = new Map<string, string>()
  const problems: ConfigProblem[] = []

  const replace = (text: string, pointer: string): string =>
    text.replace(REFERENCE, (reference: string, name?: string, fallback?: string) => {
      if (reference === '$${') return '${'
      if (name === undefined) {
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax that is meant
        const expected = '${NAME} or ${NAME:-default}, or $${ for a literal ${'
        problems.push({ code: 'E_CONFIG', file, pointer, found: JSON.stringify(reference), expected })
        return reference
      }
      const value = fallback !== undefined && env[name] === '' ? fallback : (env[name] ?? fallback)
      if (value === undefined) {
        const expected = `the environment variable ${name} to be set, or a default: \${${name}:-…}`
        problems.push({ code: 'E_CONFIG', file, pointer, found: JSON.stringify(reference), expected })
      }
      substituted.set(pointer, text)
      return value ?? ''
    })

  const walk = (value: unknown, pointer: string): unknown => {
    if (typeof value === 'string') return replace(value, pointer)
    if (Array.isArray(value)) return value.map((item, index) => walk(item, pointerTo(pointer, index)))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, pointerTo(pointer, key))]))
  }

  return { value: walk(root, ''), substituted, problems }
}
