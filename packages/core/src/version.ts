import { readFileSync } from 'node:fs'

let version: string | null = null

/** Spillway's own version, from the package; the version of NSQ that clients are told is in `BrokerOptions.version`. */
export function spillwayVersion(): string {
  version ??= String(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version)
  return version
}
