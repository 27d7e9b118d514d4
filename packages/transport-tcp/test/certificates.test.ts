import assert from 'node:assert/strict'
import { TestLogger } from '@spillway/core/testing'
import { TlsCredentials, tellCertificate } from '@spillway/tls'
import { TestFiles } from '@spillway/tls/testing'

const YEARS_MS = 365 * 86_400_000

describe('the certificate of a listener', () => {
  const files = new TestFiles()
  const logger = new TestLogger()
  let wallMs = 0
  let credentials: TlsCredentials

  before(async () => {
    const options = {
      ...(await files.writeCertificate('broker')),
      clientAuthPolicy: 'none',
      versionMin: 'TLS1.2',
    } as const
    credentials = new TlsCredentials(options, '/', (read) => tellCertificate(read, logger, wallMs))
  })

  after(() => files.remove())

  it('is not worth a line at the start', async () => {
    wallMs = Date.now() + 60_000
    await credentials.load()
    assert.deepEqual(logger.lines, [])
  })

  it('is told when it was read again: whose it is, and until when', async () => {
    await credentials.load()
    const [{ level, message, fields }] = logger.lines
    assert.deepEqual([level, message, fields.subject], ['info', 'certificate read again', 'CN=broker'])
    assert.ok(Date.parse(String(fields.validTo)) > wallMs)
  })

  it('is warned of when it has expired, or is not valid yet', async () => {
    wallMs = Date.now() + 100 * YEARS_MS
    await credentials.load()
    wallMs = Date.now() - 100 * YEARS_MS
    await credentials.load()
    assert.deepEqual(logger.messages('warn'), [
      'certificate has expired: clients that verify it will not connect',
      'certificate is not valid yet',
    ])
  })
})
