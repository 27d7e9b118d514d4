import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** What a guess costs: 16 MiB and some 50 ms. */
const COST = 2 ** 14
const BLOCK_SIZE = 8
const PARALLELIZATION = 1
const SALT_BYTES = 16
const KEY_BYTES = 32

/** A guess may cost less than ours, but not next to nothing; nor may it take the node's memory or a thread for seconds. */
const COST_MIN = 2 ** 10
const COST_MAX = 2 ** 20
const BLOCK_SIZE_MAX = 32
const PARALLELIZATION_MAX = 16
const MEMORY_BYTES_MAX = 256 * 1024 * 1024
const SALT_BYTES_MAX = 64
const KEY_BYTES_MAX = 64

/** What is known of a secret: not enough to tell it. */
export interface SecretHash {
  readonly cost: number
  readonly blockSize: number
  readonly parallelization: number
  readonly salt: Buffer
  readonly key: Buffer
}

type Parameters = Omit<SecretHash, 'salt' | 'key'>

const OWN: Parameters = { cost: COST, blockSize: BLOCK_SIZE, parallelization: PARALLELIZATION }

/** Nobody has this secret: it takes as long as that of somebody. */
export const NOBODY_HASH: SecretHash = { ...OWN, salt: Buffer.alloc(SALT_BYTES), key: Buffer.alloc(KEY_BYTES) }

/** `scrypt:cost:block size:parallelization:salt:key`, the last two in base64. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await derive(Buffer.from(secret), salt, KEY_BYTES, OWN)
  return ['scrypt', COST, BLOCK_SIZE, PARALLELIZATION, salt.toString('base64'), key.toString('base64')].join(':')
}

/** Reads what {@link hashSecret} makes, also with other parameters within bounds. @throws RangeError that says which part is wrong */
export function parseSecretHash(text: string): SecretHash {
  const [kind, cost, blockSize, parallelization, salt, key, ...rest] = text.split(':')
  if (kind !== 'scrypt' || key === undefined || rest.length > 0) {
    throw new RangeError('is not scrypt:cost:block size:parallelization:salt:key')
  }
  const hash = {
    cost: wholeNumber(cost, 'cost', COST_MIN, COST_MAX),
    blockSize: wholeNumber(blockSize, 'block size', 1, BLOCK_SIZE_MAX),
    parallelization: wholeNumber(parallelization, 'parallelization', 1, PARALLELIZATION_MAX),
    salt: bytes(salt, 'salt', SALT_BYTES, SALT_BYTES_MAX),
    key: bytes(key, 'key', KEY_BYTES, KEY_BYTES_MAX),
  }
  if (!Number.isInteger(Math.log2(hash.cost))) throw new RangeError('has a cost that is no power of two')
  if (128 * hash.cost * hash.blockSize > MEMORY_BYTES_MAX) {
    throw new RangeError(`takes more than ${MEMORY_BYTES_MAX} bytes for each guess`)
  }
  return hash
}

/** Whether `hash` is of `secret`; takes as long for a wrong one. */
export async function isSecretOf(hash: SecretHash, secret: Uint8Array): Promise<boolean> {
  return timingSafeEqual(await derive(secret, hash.salt, hash.key.length, hash), hash.key)
}

function wholeNumber(text: string, name: string, min: number, max: number): number {
  const number = /^[1-9][0-9]*$/.test(text) ? Number(text) : 0
  if (number < min || number > max) throw new RangeError(`has a ${name} that is not ${min} to ${max}`)
  return number
}

function bytes(text: string, name: string, sizeBytesMin: number, sizeBytesMax: number): Buffer {
  const decoded = Buffer.from(text, 'base64')
  // Node takes what is no base64 for less of it.
  const isBase64 = decoded.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')
  if (isBase64 && decoded.length >= sizeBytesMin && decoded.length <= sizeBytesMax) return decoded
  throw new RangeError(`has a ${name} that is not ${sizeBytesMin} to ${sizeBytesMax} bytes in base64`)
}

function derive(secret: Uint8Array, salt: Buffer, keyBytes: number, parameters: Parameters): Promise<Buffer> {
  const { cost: N, blockSize: r, parallelization: p } = parameters
  // Twice of what the rows of the mix take leaves room for the blocks that run through it.
  const maxmem = 256 * r * (N + p)
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, keyBytes, { N, r, p, maxmem }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
