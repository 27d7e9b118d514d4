import type { BrokerOptions } from '../contracts/options.js'
import { Engine, type EngineParts } from '../engine/engine.js'
import { TEST_BROKER_OPTIONS } from './broker-options.js'
import { seededRandom } from './seeded-random.js'
import { TestLogger } from './test-logger.js'

/** What a test has to say about its engine; the rest is nothing, or the same each time. */
export type TestEngineParts = Pick<EngineParts, 'storage' | 'clock'> &
  Partial<Omit<EngineParts, 'options'>> & { readonly options?: Partial<BrokerOptions> }

/** An engine of its own for a test, not open yet. */
export function testEngine({ options, ...parts }: TestEngineParts): Engine {
  return new Engine({
    queueFactory: null,
    discoveries: [],
    authenticator: null,
    settings: [],
    telemetry: null,
    random: seededRandom(2),
    logger: new TestLogger(),
    ...parts,
    options: { ...TEST_BROKER_OPTIONS, durability: 'process', ...options },
  })
}
