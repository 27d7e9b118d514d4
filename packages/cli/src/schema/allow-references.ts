import type { JsonSchema } from '@spillway/core/node'

/** A string that the environment fills: what comes of it is only known when the file is loaded. */
const REFERENCE = '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}'

/**
 * The schema as it is before the environment is put in: wherever a number, a boolean or one of a few words is wanted,
 * `"${NAME}"` may stand as well.
 */
export function allowReferences(schema: JsonSchema): JsonSchema {
  if (['integer', 'number', 'boolean'].includes(schema.type as string)) {
    return { ...schema, type: [schema.type, 'string'], pattern: `^${REFERENCE}$` }
  }
  const { enum: words, pattern, ...rest } = schema
  if (Array.isArray(words)) return { ...rest, anyOf: [{ enum: words }, { type: 'string', pattern: REFERENCE }] }
  if (typeof pattern === 'string') return { ...rest, anyOf: [{ pattern }, { pattern: REFERENCE }] }
  return Object.fromEntries(Object.entries(schema).map(([keyword, value]) => [keyword, allowBelow(keyword, value)]))
}

function allowBelow(keyword: string, value: unknown): unknown {
  if (keyword === 'properties') {
    const properties = Object.entries(value as Record<string, JsonSchema>)
    return Object.fromEntries(properties.map(([key, property]) => [key, allowReferences(property)]))
  }
  if (keyword === 'items' || keyword === 'then' || (keyword === 'additionalProperties' && typeof value === 'object'))
    return allowReferences(value as JsonSchema)
  return keyword === 'allOf' ? (value as JsonSchema[]).map(allowReferences) : value
}
