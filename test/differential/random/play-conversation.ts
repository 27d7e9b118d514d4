import type { Brokers } from '../brokers.js'
import { ask } from '../http-exchange.js'
import { type Place, Player } from '../player.js'
import type { Conversation, Move } from './conversation.js'
import { STUCK } from './verdict.js'

/** A step that takes longer will not come to an end. */
const STEP_LIMIT_MS = 15_000

/**
 * Plays some of a conversation's moves to one broker, which has none of its topics before and after, and returns what came back.
 * @throws Error when the broker has ended
 */
export async function playConversation(
  brokers: Brokers,
  conversation: Conversation,
  moves: readonly Move[] = conversation.moves,
): Promise<readonly string[]> {
  const place = await brokers.placeFor(conversation)
  const player = new Player(place)
  try {
    for (const step of conversation.stepsOf(moves) ?? []) await player.run(step, STEP_LIMIT_MS)
  } catch (error) {
    await brokers.assertRunning()
    player.transcript.push(`${STUCK}${(error as Error).message}`)
  }
  player.close()
  await Promise.all(conversation.topics.map((topic) => deleteTopic(place, topic)))
  return player.transcript
}

async function deleteTopic({ httpPort }: Place, topic: string): Promise<void> {
  const line = `POST /topic/delete?topic=${encodeURIComponent(topic)}`
  await ask({ line, body: '', headers: {}, port: httpPort, tls: null })
}
