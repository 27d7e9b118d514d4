import { membersOf } from './members-of.js'

/** What of messages that are JSON objects is passed on. */
export interface JsonRules {
  /** Only messages that have this field; empty: all. */
  readonly requiredField: string
  /** And in it this value; empty: any. */
  readonly requiredValue: string
  /** Only these fields of them; none: all. */
  readonly fields: readonly string[]
}

/**
 * - `pass`: `body` goes on
 * - `drop`: the message is finished and does not go on
 * - `refuse`: it is requeued, and counts as a failure
 */
export type Verdict =
  | { readonly kind: 'pass'; readonly body: Buffer | string }
  | { readonly kind: 'drop' | 'refuse'; readonly reason: string }

const NO_OBJECT = { kind: 'drop', reason: 'it is no JSON object' } as const
const OTHER_VALUE = { kind: 'drop', reason: 'the required field has another value' } as const

/** Decides on messages, and cuts them down. */
export class JsonFilter {
  readonly #rules: JsonRules
  readonly #fields: readonly string[]
  /** NaN: the value is no number, and no number equals it. */
  readonly #requiredNumber: number

  constructor(rules: JsonRules) {
    this.#rules = rules
    this.#fields = [...new Set(rules.fields)].sort()
    this.#requiredNumber = rules.requiredValue.trim() === '' ? Number.NaN : Number(rules.requiredValue)
  }

  /** Whether messages are looked at at all. */
  get isActive(): boolean {
    return this.#rules.requiredField !== '' || this.#fields.length > 0
  }

  judge(body: Buffer): Verdict {
    if (!this.isActive) return { kind: 'pass', body }
    const object = parseObject(body)
    if (object === null) return NO_OBJECT
    return this.#objection(object) ?? { kind: 'pass', body: this.#fields.length === 0 ? body : this.#cut(body) }
  }

  #objection(object: Readonly<Record<string, unknown>>): Verdict | null {
    const { requiredField, requiredValue } = this.#rules
    if (requiredField === '') return null
    if (!Object.hasOwn(object, requiredField)) {
      const reason = `it has no field ${JSON.stringify(requiredField)}`
      // Without the field its value cannot be checked: that may be a mistake of whoever set the flags, so nothing is lost.
      return { kind: requiredValue === '' ? 'drop' : 'refuse', reason }
    }
    const value = object[requiredField]
    if (requiredValue === '' || value === requiredValue || value === this.#requiredNumber) return null
    return OTHER_VALUE
  }

  /** As they were written: numbers may have more digits than JavaScript's. */
  #cut(body: Buffer): string {
    const members = membersOf(body.toString())
    const kept = this.#fields.flatMap((field) => {
      const value = members.get(field)
      return value === undefined ? [] : [`${JSON.stringify(field)}:${value}`]
    })
    return `{${kept.join(',')}}`
  }
}

/** `null`, the JSON value, counts as an object without fields, as it does for nsq_to_nsq. */
function parseObject(body: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(body.toString())
    if (value === null) return {}
    return typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
