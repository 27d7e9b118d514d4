import { Random } from '../../support/random.js'
import { commandsConversation } from './commands.js'
import { type Conversation, KINDS, type Kind } from './conversation.js'
import { deliveriesConversation } from './deliveries.js'
import { requestsConversation } from './requests.js'

/** How much of a run each kind is, where several are wanted. */
const WEIGHTS: Readonly<Record<Kind, number>> = { commands: 6, deliveries: 2, requests: 2 }

/** How many of each kind make up `count`. */
export function countsOf(count: number, kinds: readonly Kind[]): Readonly<Record<Kind, number>> {
  const total = kinds.reduce((sum, kind) => sum + WEIGHTS[kind], 0)
  const counts = { commands: 0, deliveries: 0, requests: 0 }
  let left = count
  for (const kind of kinds) {
    counts[kind] = kind === kinds[kinds.length - 1] ? left : Math.floor((count * WEIGHTS[kind]) / total)
    left -= counts[kind]
  }
  return counts
}

/** One conversation: of the same kind, seed and number it is always the same. */
export function draw(kind: Kind, seed: number, number: number): Conversation {
  const random = new Random(seed + Math.imul(3 * number + KINDS.indexOf(kind) + 1, 0x9e3779b1)).fork()
  if (kind === 'commands') return commandsConversation(random, seed, number)
  if (kind === 'deliveries') return deliveriesConversation(random, seed, number)
  return requestsConversation(random, seed, number)
}
