import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { StaticAuthenticator, type StaticAuthOptions } from '@spillway/auth-static'
import { hashSecretFromInput } from '../../src/spillway/hash-secret.js'

async function hashOf(input: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const texts = { out: [] as string[], err: [] as string[] }
  const output = { out: (text: string) => texts.out.push(text), err: (text: string) => texts.err.push(text) }
  const code = await hashSecretFromInput(Readable.from([Buffer.from(input)]), output)
  return { code, stdout: texts.out.join(''), stderr: texts.err.join('') }
}

describe('spillway hash-secret', () => {
  it('prints a hash that lets the secret in, and no other', async () => {
    const { code, stdout } = await hashOf('open sesame\n')
    assert.equal(code, 0)
    const users = [{ name: 'ali', secretHash: stdout.trim(), publish: [], subscribe: [], admin: false }]
    const authenticator = new StaticAuthenticator({ users } satisfies StaticAuthOptions)
    const ask = (secret: string) =>
      authenticator.authenticate({ secret: Buffer.from(secret), remoteIp: '', tls: false, commonName: '' })
    assert.equal((await ask('ali:open sesame'))?.identity, 'ali')
    assert.equal(await ask('ali:open sesam'), null)
  })

  it('says in one line that there is no secret', async () => {
    const { code, stdout, stderr } = await hashOf('\n')
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /^spillway: no secret on standard input; .*\n$/)
  })
})
