/** What Go's JSON encoder escapes and JavaScript's does not. */
const UNSAFE = /[<>&\u2028\u2029]/g

/** JSON as nsqd writes it, byte for byte. */
export function toGoJson(value: unknown): string {
  return escapeUnsafe(JSON.stringify(value))
}

function escapeUnsafe(json: string): string {
  return json.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
