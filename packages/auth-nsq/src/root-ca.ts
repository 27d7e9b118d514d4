import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { BrokerError } from '@spillway/core'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?(?:-----END CERTIFICATE-----|$)/g
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
}

/** Reads a PEM file of authorities, all of it good: Node's TLS passes over what it cannot read. @throws BrokerError `E_INVALID_OPTION` that names the path */
export function readRootCa(path: string): Buffer {
  const pem = read(path)
  const certificates = pem.toString('latin1').match(CERTIFICATE) ?? []
  if (certificates.length === 0) throw refusal(path, 'it has no certificate')
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate)
    } catch (error) {
      throw refusal(path, `its certificate ${index + 1} cannot be read`, error)
    }
  }
  return pem
}

function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw refusal(path, REASONS[code] ?? message, error)
  }
}

function refusal(path: string, reason: string, cause?: unknown): BrokerError {
  return new BrokerError('E_INVALID_OPTION', `failed to build TLS config - ${path}: ${reason}`, { cause })
}
