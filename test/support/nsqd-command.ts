import { fileURLToPath } from 'node:url'
import type { Command } from './program.js'

const OURS = fileURLToPath(new URL('../../../packages/cli/bin/nsqd.js', import.meta.url))

/** True when the tests run against another `nsqd` than ours, named by `SPILLWAY_TEST_NSQD`. */
export const IS_FOREIGN = (process.env.SPILLWAY_TEST_NSQD ?? '') !== ''

/** How to run the `nsqd` under test: Spillway's own with this Node, or the executable that `SPILLWAY_TEST_NSQD` names. */
export function nsqdCommand(flags: readonly string[]): Command {
  const foreign = process.env.SPILLWAY_TEST_NSQD ?? ''
  return foreign === '' ? { command: process.execPath, args: [OURS, ...flags] } : { command: foreign, args: flags }
}
