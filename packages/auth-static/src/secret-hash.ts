import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

/** What a guess costs: 16 MiB and some 50 ms. */
const COST = 2 ** 14
const BLOCK_SIZE = 8
const PARALLELIZATION = 1
const SALT_BYTES = 16
const KEY_BYTES = 32

/** `scrypt:cost:block size:parallelization:salt:key`, the last two in base64. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await derive(secret, salt, KEY_BYTES, { N: COST, r: BLOCK_SIZE, p: PARALLELIZATION })
  return ['scrypt', COST, BLOCK_SIZE, PARALLELIZATION, salt.toString('base64'), key.toString('base64')].join(':')
}

/** Whether `hash` is of `secret`; takes as long for a wrong one. */
export async function isSecretOf(hash: string, secret: string): Promise<boolean> {
  const [, cost, blockSize, parallelization, salt, key] = hash.split(':')
  const expected = Buffer.from(key, 'base64')
  const options = { N: Number(cost), r: Number(blockSize), p: Number(parallelization) }
  const derived = await derive(secret, Buffer.from(salt, 'base64'), expected.length, options)
  return timingSafeEqual(derived, expected)
}

function derive(secret: string, salt: Buffer, keyBytes: number, options: ScryptOptions): Promise<Buffer> {
  const memoryBytes = 256 * (options.N ?? COST) * (options.r ?? BLOCK_SIZE)
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, keyBytes, { ...options, maxmem: memoryBytes }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
