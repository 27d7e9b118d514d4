import { fileURLToPath } from 'node:url'
import type { Command } from './program.js'

const BIN = fileURLToPath(new URL('../../../packages/cli/bin/', import.meta.url))

/** How to run one of our tools with this Node. */
export function toolCommand(name: string, args: readonly string[]): Command {
  return { command: process.execPath, args: [`${BIN}${name}.js`, ...args] }
}
