import { BrokerError, type Setting } from '@spillway/core'

/**
 * `nsqlookupd_tcp_addresses` of `/config`, as nsqd has it.
 * @param changed - told of the addresses whenever they are set
 */
export function addressesSetting(first: readonly string[], changed: (addresses: readonly string[]) => void): Setting {
  let addresses: readonly string[] | null = first
  return {
    name: 'nsqlookupd_tcp_addresses',
    get: () => addresses,
    set(text) {
      addresses = addressesIn(text)
      changed(addresses ?? [])
    },
  }
}

/** `null` is none, and is shown as it was given, as by nsqd; among addresses it is an empty one. */
function addressesIn(text: string): readonly string[] | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new BrokerError('E_INVALID_OPTION', 'not JSON', { cause })
  }
  if (value === null) return null
  const addresses = Array.isArray(value) ? value.map((each) => each ?? '') : null
  if (addresses?.every((each) => typeof each === 'string')) return addresses
  throw new BrokerError('E_INVALID_OPTION', 'expected a list of texts')
}
