import { X509Certificate } from 'node:crypto'

export { fileFaultOf } from './file-fault.js'

/** Where each certificate of a PEM file begins. */
const CERTIFICATE = /(?=-----BEGIN CERTIFICATE-----)/

/** What is wrong with a file of authorities: it has no certificate (`number` is 0), or the one with this number cannot be read. */
export interface AuthorityFault {
  readonly number: number
  readonly error: Error | null
}

/** Null when all of it is good. OpenSSL takes a file up to the first certificate that it cannot read, be it none, and says nothing. */
export function faultOfAuthorities(pem: Buffer): AuthorityFault | null {
  const certificates = pem
    .toString('latin1')
    .split(CERTIFICATE)
    .filter((text) => text.startsWith('-----BEGIN CERTIFICATE'))
  if (certificates.length === 0) return { number: 0, error: null }
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate)
    } catch (error) {
      return { number: index + 1, error: error as Error }
    }
  }
  return null
}
