import assert from 'node:assert/strict'
import { AUTHENTICATOR, type Identity } from '@spillway/core'
import plugin, { hashSecret, StaticAuthenticator } from '../src/index.js'

describe('users in the configuration', () => {
  let authenticator: StaticAuthenticator

  before(async () => {
    const secretHash = await hashSecret('open sesame')
    const nothing = { secretHash, publish: [], subscribe: [], admin: false }
    authenticator = new StaticAuthenticator({
      users: [
        { ...nothing, name: 'shop', publish: ['orders', 'metrics.*'] },
        { ...nothing, name: 'billing', subscribe: ['orders/billing', 'metrics.*/b*', 'bills'] },
        { ...nothing, name: 'ops', admin: true },
      ],
    })
  })

  const ask = (secret: string): Promise<Identity | null> =>
    authenticator.authenticate({ secret: Buffer.from(secret), remoteIp: '', tls: false, commonName: '' })

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
  }).timeout(30_000)

  it('have hashes that differ for the same secret', async () => {
    assert.notEqual(await hashSecret('a'), await hashSecret('a'))
  })

  it('are a plugin that provides an authenticator', () => {
    assert.equal(plugin.provides, AUTHENTICATOR)
  })
})
