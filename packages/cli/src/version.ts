import { readFileSync } from 'node:fs'

/** Spillway's own version, from the package. */
export function spillwayVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
}
