import { readFileSync } from 'node:fs'
import { BrokerError } from '@spillway/core'
import { faultOfAuthorities, fileFaultOf } from '@spillway/tls/authorities'

/** Reads a PEM file of authorities, all of it good: Node's TLS passes over what it cannot read. @throws BrokerError `E_INVALID_OPTION` that names the path */
export function readRootCa(path: string): Buffer {
  const pem = read(path)
  const fault = faultOfAuthorities(pem)
  if (fault === null) return pem
  const { number, error } = fault
  if (error === null) throw refusal(path, 'it has no certificate')
  throw refusal(path, `its certificate ${number} cannot be read`, error)
}

function read(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw refusal(path, fileFaultOf(error), error)
  }
}

function refusal(path: string, reason: string, cause?: unknown): BrokerError {
  return new BrokerError('E_INVALID_OPTION', `failed to build TLS config - ${path}: ${reason}`, { cause })
}
