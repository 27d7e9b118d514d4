import assert from 'node:assert/strict'
import {
  FileName,
  type FileNameOptions,
  UnusableTopicError,
  withRevision,
} from '../../../src/tools/nsq-to-file/file-name.js'

const DEFAULTS: FileNameOptions = {
  format: '<TOPIC>.<HOST><REV>.<DATETIME>.log',
  datetimeFormat: '%Y-%m-%d_%H',
  hostIdentifier: '',
  isCompressed: false,
  needsRevision: false,
}
const TIME_MS = new Date(2026, 1, 3, 4, 5, 6).getTime()

const nameOf = (options: Partial<FileNameOptions> = {}): string =>
  new FileName('orders', { ...DEFAULTS, ...options }, 'web1.example.org', 4711).at(TIME_MS)

describe("files' names", () => {
  it('are topic, short host and hour', () => {
    assert.equal(nameOf(), 'orders.web1.2026-02-03_04.log')
  })

  it('have a revision where files may have to be told apart', () => {
    const name = nameOf({ needsRevision: true })
    assert.equal(withRevision(name, 0), 'orders.web1-000000.2026-02-03_04.log')
    assert.equal(withRevision(name, 17), 'orders.web1-000017.2026-02-03_04.log')
  })

  it('have what the host is to be called', () => {
    assert.equal(nameOf({ hostIdentifier: 'x-<SHORT_HOST>-<HOSTNAME>', format: '<HOST>' }), 'x-web1-web1.example.org')
  })

  it('have tokens wherever they stand, and folders', () => {
    const format = '<TOPIC>/<DATETIME>/<TOPIC>.<PID>'
    assert.equal(nameOf({ format, datetimeFormat: '%Y/%m' }), 'orders/2026/02/orders.4711')
  })

  it('are not in a folder that a topic names', () => {
    const of = (topic: string, format: string) => new FileName(topic, { ...DEFAULTS, format }).at(TIME_MS)
    for (const [topic, format] of [
      ['..', '<TOPIC>/x.log'],
      ['.', 'a/<TOPIC><REV>/x.log'],
      ['.', 'a/.<TOPIC>/x.log'],
      ['..', '<TOPIC>'],
    ]) {
      const message = `topic ${topic} would be another folder in --filename-format`
      assert.throws(() => of(topic, format), { constructor: UnusableTopicError, message })
    }
    assert.equal(of('..', '../<TOPIC>.log'), '../...log')
    assert.equal(of('a..b', './<TOPIC>/x'), './a..b/x')
  })

  it('end in .gz when compressed, once', () => {
    const compressed = { isCompressed: true, needsRevision: true }
    assert.equal(nameOf({ ...compressed, format: 'a<REV>.log' }), 'a<REV>.log.gz')
    assert.equal(nameOf({ ...compressed, format: 'a<REV>.log.gz' }), 'a<REV>.log.gz')
  })

  it('need a place for the revision', () => {
    assert.throws(() => nameOf({ needsRevision: true, format: '<TOPIC>.log' }), {
      message: 'missing <REV> in --filename-format when gzip, rotation, or work dir enabled',
    })
  })
})
