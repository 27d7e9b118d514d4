import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import type { ConfigSource } from './config.js'
import { describeSchemaErrors } from './describe-schema-errors.js'
import type { JsonSchema } from './schema.js'
import type { Checked } from './validator.js'

/** Checks values against JSON schemas (draft 2020-12) with ajv, filling in defaults, and says what is wrong. */
export class SchemaCheck {
  // Schemas are not checked against the meta-schema: compiling that takes longer than the rest of the start. Strict mode
  // finds what plugin authors get wrong: unknown keywords, defaults that cannot apply, formats that nobody checks.
  private readonly ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    verbose: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    meta: false,
    validateSchema: false,
    addUsedSchema: false,
  })

  /**
   * @param pointer - where `value` stands in the configuration
   * @throws Error when the schema itself is wrong
   */
  check(schema: JsonSchema, value: unknown, source: ConfigSource, pointer: string): Checked {
    const validate = this.ajv.compile(schema)
    const holder = { value: structuredClone(value) }
    if (validate(holder.value)) return { value: holder.value, problems: [] }
    if (convertSubstituted(holder, validate, source, pointer) && validate(holder.value)) {
      return { value: holder.value, problems: [] }
    }
    return { value: holder.value, problems: describeSchemaErrors(validate.errors ?? [], source, pointer) }
  }
}

/**
 * The environment knows only text: where a string came from it and the schema wants a number or a boolean, it is read as one.
 * @returns whether anything changed
 */
function convertSubstituted(
  holder: { value: unknown },
  validate: ValidateFunction,
  source: ConfigSource,
  pointer: string,
): boolean {
  let changed = false
  for (const error of validate.errors ?? []) {
    if (error.keyword !== 'type' || !source.substituted.has(pointer + error.instancePath)) continue
    const converted = scalarOf(error)
    if (converted === undefined) continue
    setAt(holder, `/value${error.instancePath}`, converted)
    changed = true
  }
  return changed
}

function scalarOf(error: ErrorObject): number | boolean | undefined {
  if (typeof error.data !== 'string') return undefined
  const wanted = [error.schema].flat()
  if (wanted.includes('boolean') && /^(?:true|false)$/.test(error.data)) return error.data === 'true'
  const wantsNumber = wanted.includes('integer') || wanted.includes('number')
  return wantsNumber && /^-?\d+(?:\.\d+)?$/.test(error.data) ? Number(error.data) : undefined
}

function setAt(root: object, pointer: string, value: unknown): void {
  const keys = pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = keys.pop() as string
  const parent = keys.reduce((node, key) => node[key] as Record<string, unknown>, root as Record<string, unknown>)
  parent[last] = value
}
