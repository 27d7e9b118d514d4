import assert from 'node:assert/strict'
import { TlsCredentials } from '../src/index.js'
import { makeAuthority, makeCertificate, TestFiles } from '../src/testing/index.js'

describe('the authorities of client certificates', () => {
  const files = new TestFiles()
  let certPath: string
  let keyPath: string
  let authority: string

  before(async () => {
    ;({ certPath, keyPath } = await files.writeCertificate('127.0.0.1'))
    authority = (await makeAuthority('authority')).cert
  })

  after(() => files.remove())

  const credentialsOf = (rootCaPath: string) =>
    new TlsCredentials({ certPath, keyPath, rootCaPath, clientAuthPolicy: 'require-verify', versionMin: 'TLS1.2' }, '/')

  async function refusalOf(text: string): Promise<string> {
    const path = await files.write('refused.pem', text)
    const refusal: { message: string } = await credentialsOf(path)
      .load()
      .then(
        () => ({ message: 'accepted' }),
        (error) => error,
      )
    return refusal.message.replace(path, '<path>')
  }

  it('are read, however many there are and whatever stands between them', async () => {
    const other = (await makeAuthority('other')).cert
    const credentials = credentialsOf(await files.write('good.pem', `first\n${authority}\nsecond\n${other}`))
    await credentials.load()
    assert.notEqual(credentials.context, null)
  })

  it('are refused where there is none: verifying against nothing would let nobody in', async () => {
    const none = 'E_INVALID_OPTION failed to build TLS config - <path>: no certificate in it'
    assert.equal(await refusalOf(''), none)
    assert.equal(await refusalOf('not PEM'), none)
    assert.equal(await refusalOf((await makeCertificate('x')).key), none)
  })

  it('are refused when one of them is broken: OpenSSL would silently leave out those behind it', async () => {
    const broken = /^E_INVALID_OPTION failed to build TLS config - <path>: certificate 2 in it cannot be read: \S/
    const truncated = authority.slice(0, 200)
    assert.match(await refusalOf(authority + truncated), broken)
    assert.match(await refusalOf(`${authority}${truncated}\n${authority}`), broken)
  })

  it('stay what they were when a reload finds them broken', async () => {
    const path = await files.write('changing.pem', authority)
    const credentials = credentialsOf(path)
    await credentials.load()
    const { context } = credentials
    await files.write('changing.pem', 'not PEM')
    await assert.rejects(credentials.load(), { code: 'E_INVALID_OPTION' })
    assert.equal(credentials.context, context)
  })
})
