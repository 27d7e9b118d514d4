import { FakeClock, testStorage } from '@spillway/core/testing'
import { MemoryStorage } from '../src/index.js'

const clock = new FakeClock()
/** A memory storage is a place of its own. */
const places = new Map<string, MemoryStorage>()

testStorage({
  capabilities: new MemoryStorage(clock).capabilities,
  create(place) {
    const storage = places.get(place) ?? new MemoryStorage(clock)
    places.set(place, storage)
    return storage
  },
})
