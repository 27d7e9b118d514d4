import assert from 'node:assert/strict'
import type { TLSSocket } from 'node:tls'
import { commonNameOf, hasCertificate } from '../src/index.js'

/** A connection as far as its peer's certificate goes. */
const socketWith = (certificate: object | null) => ({ getPeerCertificate: () => certificate }) as unknown as TLSSocket

describe("the peer's certificate", () => {
  it('is none when it is empty, and when the connection is gone', () => {
    assert.equal(hasCertificate(socketWith({})), false)
    assert.equal(hasCertificate(socketWith(null)), false)
    assert.equal(hasCertificate(socketWith({ subject: { CN: 'shop' } })), true)
  })

  it('has the last common name of its subject, as Go sees it', () => {
    assert.equal(commonNameOf(socketWith({ subject: { CN: 'shop' } })), 'shop')
    assert.equal(commonNameOf(socketWith({ subject: { CN: ['first', 'last'] } })), 'last')
  })

  it('has the empty name when it has none, or is none', () => {
    assert.equal(commonNameOf(socketWith({ subject: { O: 'shop' } })), '')
    assert.equal(commonNameOf(socketWith({})), '')
    assert.equal(commonNameOf(socketWith(null)), '')
  })
})
