import type { ConfigSource } from './config.js'
import type { ConfigProblem } from './problem.js'
import { quickCheck } from './quick-check.js'
import type { JsonSchema } from './schema.js'
import type { SchemaCheck } from './schema-check.js'

/** A value that was checked: with defaults filled in, or with what is wrong with it. */
export interface Checked {
  readonly value: unknown
  readonly problems: readonly ConfigProblem[]
}

/** Checks values against JSON schemas (draft 2020-12); loads ajv once it needs it. */
export class ConfigValidator {
  private schemaCheck: SchemaCheck | null = null

  /**
   * @param pointer - where `value` stands in the configuration
   * @throws Error when the schema itself is wrong
   */
  async check(schema: JsonSchema, value: unknown, source: ConfigSource, pointer: string): Promise<Checked> {
    const quick = quickCheck(schema, value)
    if (quick !== null) return { value: quick.value, problems: [] }
    this.schemaCheck ??= new (await import('./schema-check.js')).SchemaCheck()
    return this.schemaCheck.check(schema, value, source, pointer)
  }
}
