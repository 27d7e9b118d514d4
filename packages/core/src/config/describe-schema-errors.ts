import type { ErrorObject } from 'ajv'
import type { ConfigSource } from './config.js'
import { nearest } from './nearest.js'
import { type ConfigProblem, pointerTo } from './problem.js'

type Schema = Record<string, unknown>

/** ajv's errors, one problem for each mistake: what is there, what may be there, and what was probably meant. */
export function describeSchemaErrors(
  errors: readonly ErrorObject[],
  source: ConfigSource,
  pointer: string,
): ConfigProblem[] {
  const problems = new Map<string, ConfigProblem>()
  for (const error of errors) {
    if (isDetail(error, errors)) continue
    const problem = describe(error, source, pointer + error.instancePath)
    const key = `${problem.pointer} ${problem.expected}`
    if (!problems.has(key)) problems.set(key, problem)
  }
  return [...problems.values()]
}

/** `anyOf`, `oneOf`, `if` and `propertyNames` report themselves and what is wrong in each branch: one of the two is enough. */
function isDetail(error: ErrorObject, errors: readonly ErrorObject[]): boolean {
  if (error.keyword === 'if' || error.keyword === 'propertyNames') return true
  return errors.some(
    (other) =>
      (other.keyword === 'anyOf' || other.keyword === 'oneOf') &&
      error.schemaPath.startsWith(`${other.schemaPath}/`) &&
      error.instancePath.startsWith(other.instancePath),
  )
}

function describe(error: ErrorObject, source: ConfigSource, pointer: string): ConfigProblem {
  const schema = (error.parentSchema ?? {}) as Schema
  const at = { code: 'E_CONFIG', file: source.label } as const
  const unknownKey = error.params.additionalProperty ?? error.params.unevaluatedProperty
  if (unknownKey !== undefined) {
    const known = Object.keys((schema.properties ?? {}) as Schema)
    const close = nearest(unknownKey, known)
    const expected = known.length === 0 ? 'no keys' : `one of ${known.join(', ')}`
    return { ...at, pointer: pointerTo(pointer, unknownKey), found: 'an unknown key', expected, ...hint(close) }
  }
  if (error.keyword === 'required') {
    const key: string = error.params.missingProperty
    const wanted = ((schema.properties ?? {}) as Record<string, Schema>)[key] ?? {}
    return { ...at, pointer: pointerTo(pointer, key), found: 'nothing', expected: expectation(wanted) }
  }
  if (error.propertyName !== undefined) {
    return {
      ...at,
      pointer: pointerTo(pointer, error.propertyName),
      found: 'this key',
      expected: expectationOf(error, schema),
    }
  }
  const found = isSecret(pointer, schema)
    ? 'a secret, not shown here'
    : describeFound(error.data, source.substituted.get(pointer))
  if (error.keyword === 'enum') {
    const allowed = schema.enum as unknown[]
    const words = allowed.filter((value) => typeof value === 'string')
    const close = typeof error.data === 'string' ? nearest(error.data, words) : undefined
    return { ...at, pointer, found, expected: expectation(schema), ...hint(close) }
  }
  return { ...at, pointer, found, expected: expectationOf(error, schema) }
}

const hint = (close: string | undefined): { nearest?: string } => (close === undefined ? {} : { nearest: close })

/** What is called a secret, or what a schema marks as one: JSON schema has `writeOnly` for that. */
const SECRET_NAME = /secret|password/i

function isSecret(pointer: string, schema: Schema): boolean {
  return schema.writeOnly === true || SECRET_NAME.test(pointer.slice(pointer.lastIndexOf('/')))
}

/** A value that came out of the environment may be a secret, so only its name is shown. */
function describeFound(data: unknown, reference: string | undefined): string {
  if (reference !== undefined) return `the value of ${JSON.stringify(reference)}`
  const text = JSON.stringify(data, withoutSecrets) ?? String(data)
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`
}

function withoutSecrets(key: string, value: unknown): unknown {
  return SECRET_NAME.test(key) ? '…' : value
}

function expectationOf(error: ErrorObject, schema: Schema): string {
  switch (error.keyword) {
    case 'minItems':
      return `at least ${error.params.limit} items`
    case 'maxItems':
      return `at most ${error.params.limit} items`
    case 'minLength':
      return error.params.limit === 1 ? 'text that is not empty' : `at least ${error.params.limit} characters`
    case 'maxLength':
      return `at most ${error.params.limit} characters`
    case 'uniqueItems':
      return 'no item twice'
    case 'pattern':
      return withExample(formOf(schema), schema)
    case 'type':
    case 'const':
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return expectation(schema)
    default:
      return withExample(error.message ?? error.keyword, schema)
  }
}

/** The words that a schema has for its pattern; the pattern itself where it has none. */
function formOf({ pattern, description }: Schema): string {
  if (typeof description !== 'string') return `text that matches ${pattern}`
  return `text: ${description.charAt(0).toLowerCase()}${description.slice(1).replace(/\.$/, '')}`
}

const TYPE_NAMES: Record<string, string> = {
  integer: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

/** What a schema wants, in a few words. */
function expectation(schema: Schema): string {
  if (Array.isArray(schema.enum)) return `one of ${schema.enum.map((value) => JSON.stringify(value)).join(', ')}`
  if ('const' in schema) return JSON.stringify(schema.const)
  const types = [schema.type ?? []].flat() as string[]
  const kind = types.map((type) => TYPE_NAMES[type] ?? type).join(' or ') || 'a value'
  return withExample(kind + range(schema), schema)
}

function range({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`
  const bounds: string[] = []
  if (minimum !== undefined) bounds.push(`at least ${minimum}`)
  if (exclusiveMinimum !== undefined) bounds.push(`above ${exclusiveMinimum}`)
  if (maximum !== undefined) bounds.push(`at most ${maximum}`)
  if (exclusiveMaximum !== undefined) bounds.push(`below ${exclusiveMaximum}`)
  return bounds.length === 0 ? '' : `, ${bounds.join(' and ')}`
}

function withExample(text: string, schema: Schema): string {
  const [example] = (schema.examples ?? []) as unknown[]
  return example === undefined ? text : `${text}, such as ${JSON.stringify(example)}`
}
