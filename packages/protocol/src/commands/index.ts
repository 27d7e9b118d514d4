import type { Command } from '../command.js'
import type { CommandLine } from '../command-line.js'
import { auth } from './auth.js'
import { cls } from './cls.js'
import { dpub } from './dpub.js'
import { fin } from './fin.js'
import { identify } from './identify.js'
import { mpub } from './mpub.js'
import { nop } from './nop.js'
import { pub } from './pub.js'
import { rdy } from './rdy.js'
import { req } from './req.js'
import { sub } from './sub.js'
import { touch } from './touch.js'

/** Every command there is, the most frequent ones first. */
export const COMMANDS: readonly Command[] = [fin, pub, mpub, nop, rdy, req, touch, dpub, sub, identify, cls, auth]

const NAMES: readonly Buffer[] = COMMANDS.map((command) => Buffer.from(command.name, 'latin1'))

/** The command that a line names, compared as bytes; `undefined` when there is none. */
export function findCommand(line: CommandLine): Command | undefined {
  for (let index = 0; index < NAMES.length; index++) if (line.isNamed(NAMES[index])) return COMMANDS[index]
  return undefined
}
