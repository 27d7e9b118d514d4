import assert from 'node:assert/strict'
import { constants, createDeflateRaw } from 'node:zlib'
import { DeflateCodec } from '../src/deflate-codec.js'

/** The texts as a peer sends them that flushes after each. */
async function flushed(texts: readonly string[]): Promise<Buffer[]> {
  const deflater = createDeflateRaw({ level: 1, flush: constants.Z_SYNC_FLUSH })
  const chunks: Buffer[] = []
  deflater.on('data', (chunk: Buffer) => chunks.push(chunk))
  for (const text of texts) await new Promise((resolve) => deflater.write(text, resolve))
  return chunks
}

/** A codec of which only the decoding end is looked at. */
class Decoding {
  readonly pieces: string[] = []
  /** What it has said, in order. */
  readonly readingWanted: boolean[] = []
  #wake = (): void => {}
  readonly codec = new DeflateCodec(6, {
    send: () => assert.fail('nothing was encoded'),
    received: (chunk) => {
      this.pieces.push(chunk.toString())
      this.#wake()
    },
    readingWanted: (isWanted) => {
      this.readingWanted.push(isWanted)
      this.#wake()
    },
    encoded: () => {},
    ended: (error) => assert.ifError(error),
    failed: (error) => assert.fail(error),
  })

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}

describe('deflate', () => {
  let decoding: Decoding
  beforeEach(() => {
    decoding = new Decoding()
  })
  afterEach(() => decoding.codec.destroy())

  it('decompresses in one piece what has come meanwhile: clients flush after every FIN', async () => {
    const commands = Array.from({ length: 500 }, (_, index) => `FIN ${index.toString(16).padStart(16, '0')}\n`)
    for (const chunk of await flushed(commands)) decoding.codec.decode(chunk)
    const all = commands.join('')
    await decoding.until(() => decoding.pieces.join('').length === all.length)
    assert.equal(decoding.pieces.join(''), all)
    assert.equal(decoding.pieces.length, 2) // the first, and all that came behind it
  })

  it('holds the peer up while 64 kB wait, and lets it go on afterwards', async () => {
    // not to be compressed away
    const texts = Array.from({ length: 40 }, (_, index) =>
      Array.from({ length: 1_000 }, (_, row) => ((index * 1_000 + row) * 2_654_435_761).toString(36)).join(),
    )
    const chunks = await flushed(texts)
    let sizeBytes = 0
    while (decoding.readingWanted.length === 0) {
      const chunk = chunks.shift() as Buffer
      sizeBytes += chunk.length
      decoding.codec.decode(chunk)
    }
    assert.ok(sizeBytes >= 64 * 1024 && sizeBytes < 2 * 64 * 1024, `${sizeBytes} bytes`)
    await decoding.until(() => decoding.readingWanted.length === 2)
    assert.deepEqual(decoding.readingWanted, [false, true])
    for (const chunk of chunks) decoding.codec.decode(chunk)
    const all = texts.join('')
    await decoding.until(() => decoding.pieces.join('').length === all.length)
    assert.equal(decoding.pieces.join(''), all)
  })
})
