import type { JsonSchema } from './schema.js'

type Json = Record<string, unknown>
type Keyword = (argument: never, value: unknown, schema: JsonSchema) => boolean

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  array: (value) => Array.isArray(value),
  object: isObject,
  null: (value) => value === null,
}

const annotation: Keyword = () => true

/** What is understood here. A keyword only speaks about values of its own type, as JSON Schema has it. */
const KEYWORDS: Readonly<Record<string, Keyword>> = {
  $schema: annotation,
  title: annotation,
  description: annotation,
  examples: annotation,
  default: annotation,
  type: (names: string | string[], value) => [names].flat().some((name) => TYPES[name]?.(value) ?? false),
  enum: (words: unknown[], value) => typeof value === 'string' && words.includes(value),
  minimum: (limit: number, value) => typeof value !== 'number' || value >= limit,
  maximum: (limit: number, value) => typeof value !== 'number' || value <= limit,
  minLength: (limit: number, value) => typeof value !== 'string' || [...value].length >= limit,
  pattern: (pattern: string, value) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  items: (schema: JsonSchema, value) => !Array.isArray(value) || value.every((item) => accepts(schema, item)),
  required: (keys: string[], value) => !isObject(value) || keys.every((key) => Object.hasOwn(value, key)),
  propertyNames: (schema: JsonSchema, value) =>
    !isObject(value) || Object.keys(value).every((key) => accepts(schema, key)),
  additionalProperties: (allowed: unknown, value, { properties }) =>
    !isObject(value) ||
    Object.keys(value).every(
      (key) => Object.hasOwn(properties ?? {}, key) || (isObject(allowed) && accepts(allowed, value[key])),
    ),
  properties: (properties: Record<string, JsonSchema>, value) =>
    !isObject(value) ||
    Object.entries(properties).every(([key, schema]) => !Object.hasOwn(value, key) || accepts(schema, value[key])),
}

/**
 * Checks a value against a plain schema and fills in defaults, without ajv: loading that and compiling four schemas with it
 * takes longer than the rest of the start together. It only ever says yes where ajv does; whatever it does not understand or
 * like is for ajv, which can also say what is wrong.
 * @returns the value with defaults, or `null`: ask ajv
 */
export function quickCheck(schema: JsonSchema, value: unknown): { readonly value: unknown } | null {
  if ('default' in schema) return null // nothing says what that means at the root
  const copy = structuredClone(value)
  return accepts(schema, copy) ? { value: copy } : null
}

function accepts(schema: JsonSchema, value: unknown): boolean {
  // Defaults come first: a key that is required may have one.
  if (isObject(value) && isObject(schema.properties)) fillDefaults(schema.properties, value)
  return Object.entries(schema).every(
    ([keyword, argument]) => Object.hasOwn(KEYWORDS, keyword) && KEYWORDS[keyword](argument as never, value, schema),
  )
}

function fillDefaults(properties: Json, value: Json): void {
  for (const [key, schema] of Object.entries(properties)) {
    if (isObject(schema) && 'default' in schema && !Object.hasOwn(value, key))
      value[key] = structuredClone(schema.default)
  }
}
