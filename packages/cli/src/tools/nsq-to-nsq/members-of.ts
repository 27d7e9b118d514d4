const SPACE = ' \t\n\r'

/**
 * The members of a JSON object, their values as they are written, but without white space between tokens: `1.50` stays `1.50`,
 * and a number with twenty digits keeps them. Of a name that comes twice the last one counts.
 * @param json - a JSON value that `JSON.parse` takes; one that is no object has no members
 */
export function membersOf(json: string): Map<string, string> {
  const members = new Map<string, string>()
  let depth = 0
  let name: string | null = null
  let value = ''
  const complete = (): void => {
    if (name !== null) members.set(name, value)
    name = null
    value = ''
  }
  for (let at = 0; at < json.length; ) {
    const end = json[at] === '"' ? endOfString(json, at) : at + 1
    const token = json.slice(at, end)
    at = end
    if (SPACE.includes(token)) continue
    if (token === '}' || token === ']') depth--
    if (depth === 0) complete()
    else if (depth === 1 && token === ',') complete()
    else if (depth === 1 && name === null) name = JSON.parse(token) as string
    else if (value !== '' || token !== ':') value += token
    if (token === '{' || token === '[') depth++
  }
  return members
}

/** Behind the quote that ends the string which begins at `start`. */
function endOfString(json: string, start: number): number {
  for (let at = start + 1; ; at++) {
    if (json[at] === '\\') at++
    else if (json[at] === '"') return at + 1
  }
}
