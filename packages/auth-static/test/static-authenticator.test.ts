import assert from 'node:assert/strict'
import { scryptSync } from 'node:crypto'
import { AUTHENTICATOR, type Identity } from '@spillway/core'
import plugin, { hashSecret, StaticAuthenticator } from '../src/index.js'
import { OPTIONS_SCHEMA } from '../src/options.js'

/** Of what makes guessing dear there is nothing to see here. */
function cheapHash(secret: string): string {
  const salt = Buffer.alloc(16, 7)
  const key = scryptSync(secret, salt, 32, { N: 1024, r: 1, p: 1 })
  return `scrypt:1024:1:1:${salt.toString('base64')}:${key.toString('base64')}`
}

describe('users in the configuration', () => {
  let authenticator: StaticAuthenticator

  beforeEach(() => {
    const secretHash = cheapHash('open sesame')
    const nothing = { secretHash, publish: [], subscribe: [], admin: false }
    authenticator = new StaticAuthenticator({
      users: [
        { ...nothing, name: 'shop', publish: ['orders', 'metrics.*'] },
        { ...nothing, name: 'billing', subscribe: ['orders/billing', 'metrics.*/b*', 'bills'] },
        { ...nothing, name: 'ops', admin: true },
      ],
    })
  })

  const ask = (secret: string, remoteIp = ''): Promise<Identity | null> =>
    authenticator.authenticate({ secret: Buffer.from(secret), remoteIp, tls: false, commonName: '' })

  it('are known by name and secret, again and again', async () => {
    for (let count = 0; count < 2; count++) assert.equal((await ask('shop:open sesame'))?.identity, 'shop')
  })

  it('are nobody with another secret, another name, or none', async () => {
    for (const secret of ['shop:open', 'shop:', 'shop', '', ':open sesame', 'nobody:open sesame', 'open sesame']) {
      assert.equal(await ask(secret), null, secret)
    }
  })

  it('may publish to their topics', async () => {
    const shop = (await ask('shop:open sesame')) as Identity
    const may = ['orders', 'orders2', 'metrics.cpu', 'metrics'].map((topic) => shop.mayPublish(topic))
    assert.deepEqual(may, [true, false, true, false])
    assert.equal(shop.mayConsume('orders', 'billing'), false)
    assert.equal(shop.permissionCount, 2)
  })

  it('may subscribe to their channels, or to all of a topic', async () => {
    const billing = (await ask('billing:open sesame')) as Identity
    const places = ['orders/billing', 'orders/mail', 'metrics.cpu/bills', 'metrics.cpu/mail', 'bills/any', 'bills2/any']
    const may = places.map((place) => billing.mayConsume(place.split('/')[0], place.split('/')[1]))
    assert.deepEqual(may, [true, false, true, false, true, false])
    assert.equal(billing.mayPublish('orders'), false)
    assert.equal(billing.mayAdminister, false)
  })

  it('may do everything as admins', async () => {
    const ops = (await ask('ops:open sesame')) as Identity
    assert.deepEqual([ops.mayAdminister, ops.mayPublish('x'), ops.mayConsume('x', 'y')], [true, true, true])
    assert.equal(ops.expiresAtMs, Number.POSITIVE_INFINITY)
  })

  it('are told to try again when too many are asked for at once', async () => {
    const asked = Array.from({ length: 400 }, (_, index) => ask(`shop:wrong ${index}`))
    const results = await Promise.allSettled(asked)
    const rejected = results.filter((result) => result.status === 'rejected')
    assert.equal(rejected.length, 400 - 256 - 2)
    for (const { reason } of rejected) assert.equal(reason.code, 'E_AUTH_FAILED')
  })

  it('are let in however many of them come with one secret at once', async () => {
    const identities = await Promise.all(Array.from({ length: 1_000 }, () => ask('shop:open sesame')))
    assert.ok(identities.every((identity) => identity?.identity === 'shop'))
  })

  it('are let in while somebody elsewhere tries out secrets', async () => {
    let guessCount = 0
    const guesses = Array.from({ length: 400 }, (_, index) =>
      ask(`shop:wrong ${index}`, '10.6.6.6').then(
        () => guessCount++,
        () => {},
      ),
    )
    const right = await Promise.all([
      ask('shop:open sesame', '10.0.0.1'),
      ask('billing:open sesame', '10.0.0.1'),
      ask('ops:open sesame', '10.0.0.2'),
    ])
    assert.deepEqual(
      right.map((identity) => identity?.identity),
      ['shop', 'billing', 'ops'],
    )
    assert.ok(guessCount < 20, `${guessCount} guesses were looked at first`)
    await Promise.all(guesses)
  })

  it('are nobody with bytes that only look like their secret once they are text', async () => {
    const secretHash = cheapHash('\ufffd')
    const odd = new StaticAuthenticator({
      users: [{ name: 'a', secretHash, publish: [], subscribe: [], admin: false }],
    })
    const secret = Buffer.from([0x61, 0x3a, 0xff])
    assert.equal(await odd.authenticate({ secret, remoteIp: '', tls: false, commonName: '' }), null)
  })

  const SALT = Buffer.alloc(16, 1).toString('base64')
  const KEY = Buffer.alloc(32, 1).toString('base64')
  for (const [secretHash, reason] of [
    ['scrypt:16384:8:1:AAAA:=', 'has a salt that is not 16 to 64 bytes in base64'],
    [`scrypt:16384:8:1:${SALT}:=`, 'has a key that is not 32 to 64 bytes in base64'],
    [`scrypt:16384:8:1:${SALT}:AA==`, 'has a key that is not 32 to 64 bytes in base64'],
    [`scrypt:16384:8:1:${SALT}:A=${KEY}`, 'has a key that is not 32 to 64 bytes in base64'],
    [`scrypt:3:8:1:${SALT}:${KEY}`, 'has a cost that is not 1024 to 1048576'],
    [`scrypt:0:8:1:${SALT}:${KEY}`, 'has a cost that is not 1024 to 1048576'],
    [`scrypt:16000:8:1:${SALT}:${KEY}`, 'has a cost that is no power of two'],
    [`scrypt:16384:0:1:${SALT}:${KEY}`, 'has a block size that is not 1 to 32'],
    [`scrypt:16384:8:999999999999:${SALT}:${KEY}`, 'has a parallelization that is not 1 to 16'],
    [`scrypt:1048576:32:1:${SALT}:${KEY}`, 'takes more than 268435456 bytes for each guess'],
    ['secret', 'is not scrypt:cost:block size:parallelization:salt:key'],
  ]) {
    it(`are refused at the start where a hash ${reason}: ${secretHash.slice(0, 24)}`, () => {
      const user = { name: 'ops', secretHash, publish: [], subscribe: [], admin: true }
      assert.throws(() => new StaticAuthenticator({ users: [user] }), {
        message: `E_INVALID_OPTION auth-static: users[0].secretHash ${reason}; make one with \`spillway hash-secret\``,
      })
    })
  }

  for (const parameters of ['1024:1:1', '1024:1:16', '2048:32:1']) {
    it(`may have hashes of other costs: ${parameters}`, async () => {
      const secretHash = `scrypt:${parameters}:${SALT}:${KEY}`
      const others = new StaticAuthenticator({
        users: [{ name: 'a', secretHash, publish: [], subscribe: [], admin: true }],
      })
      const secret = Buffer.from('a:b')
      assert.equal(await others.authenticate({ secret, remoteIp: '', tls: false, commonName: '' }), null)
    })
  }

  it('are refused at the start where two have one name', () => {
    const user = { name: 'ops', secretHash: cheapHash('a'), publish: [], subscribe: [], admin: true }
    assert.throws(() => new StaticAuthenticator({ users: [user, user] }), {
      message: 'E_INVALID_OPTION auth-static: users[1].name "ops" is that of another user',
    })
  })

  it('may have a * at the end of a name, and nowhere else', () => {
    const { publish, subscribe } = OPTIONS_SCHEMA.properties.users.items.properties
    const takes = ({ items }: typeof publish | typeof subscribe, text: string): boolean =>
      new RegExp(items.pattern).test(text)
    for (const name of ['a', '*', 'a*', 'metrics.*', 'a#ephemeral']) {
      assert.ok(takes(publish, name) && takes(subscribe, name), name)
      assert.ok(takes(subscribe, `${name}/${name}`), name)
      assert.ok(!takes(publish, `${name}/${name}`), name)
    }
    for (const name of ['', 'a*b', '*a', '**', 'a**', '/']) {
      assert.ok(!takes(publish, name) && !takes(subscribe, name), name)
      assert.ok(!takes(subscribe, `a/${name}`), name)
    }
  })

  it('are known by the hash that is printed for them', async () => {
    const secretHash = await hashSecret('a:b')
    const one = new StaticAuthenticator({
      users: [{ name: 'x', secretHash, publish: [], subscribe: [], admin: false }],
    })
    const secret = Buffer.from('x:a:b')
    assert.equal((await one.authenticate({ secret, remoteIp: '', tls: false, commonName: '' }))?.identity, 'x')
  })

  it('have hashes that differ for the same secret', async () => {
    assert.notEqual(await hashSecret('a'), await hashSecret('a'))
  })

  it('are a plugin that provides an authenticator', () => {
    assert.equal(plugin.provides, AUTHENTICATOR)
  })
})
