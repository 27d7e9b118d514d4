import type { BrokerOptions } from '../contracts/options.js'
import { Engine, type EngineParts } from '../engine/engine.js'
import { TEST_BROKER_OPTIONS } from './broker-options.js'
import { FakeClock } from './fake-clock.js'
import { seededRandom } from './seeded-random.js'
import { SimulatedStorage } from './simulated-storage.js'
import { TestLogger } from './test-logger.js'

export interface TestEngineParts extends Partial<Omit<EngineParts, 'options'>> {
  /** What is not as in {@link TEST_BROKER_OPTIONS}. */
  readonly options?: Partial<BrokerOptions>
}

/** An engine, not opened yet, of the parts that a test cares for. For the others: a simulated storage that is never late, no plugins. */
export function testEngine({ options, clock = new FakeClock(), ...parts }: TestEngineParts = {}): Engine {
  return new Engine({
    storage: parts.storage ?? new SimulatedStorage({ clock, random: seededRandom(1), latencyMs: () => 0 }),
    queueFactory: null,
    discoveries: [],
    authenticator: null,
    telemetry: null,
    random: seededRandom(2),
    logger: new TestLogger(),
    settings: [],
    ...parts,
    clock,
    options: { ...TEST_BROKER_OPTIONS, ...options },
  })
}
