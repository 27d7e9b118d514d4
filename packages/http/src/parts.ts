import { toGoJson } from './go-json.js'

/** A piece is about so long: small enough for one turn, large enough for one write. */
const PIECE_LENGTH = 64 * 1024
/** Of parts that are short, or empty, a piece has no more. */
const PARTS_MAX = 4_096

/** A JSON list, a part for each item. @param toJson - what Go would write by default */
export function* jsonList<T>(items: Iterable<T>, toJson: (item: T) => string = toGoJson): Generator<string, void> {
  let before = '['
  for (const item of items) {
    yield before + toJson(item)
    before = ','
  }
  yield before === '[' ? '[]' : ']'
}

/** Joins parts to pieces that are worth a write. An empty part counts as work that was done. */
export function* piecesOf(parts: Iterable<string>): Generator<string, void> {
  let piece = ''
  let count = 0
  for (const part of parts) {
    piece += part
    if (piece.length < PIECE_LENGTH && ++count < PARTS_MAX) continue
    yield piece
    piece = ''
    count = 0
  }
  if (piece !== '') yield piece
}
