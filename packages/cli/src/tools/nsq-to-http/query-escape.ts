/** What each byte becomes: letters, digits and `-_.~` stay, a space is `+`, everything else `%XX`. */
const ESCAPED = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte)
  if (/[A-Za-z0-9\-_.~]/.test(character)) return character
  return character === ' ' ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
})

/** Bytes, text or not, as the value of a query parameter. */
export function queryEscape(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += ESCAPED[byte]
  return text
}
