import type { Ledgers } from '../ledgers.js'
import { Backlog } from './backlog.js'
import { Deferred } from './deferred.js'
import { Deleted } from './deleted.js'
import { Emptied } from './emptied.js'
import { Ephemeral } from './ephemeral.js'
import { Large } from './large.js'
import { Paused } from './paused.js'
import { Plain } from './plain.js'
import type { Scenario } from './scenario.js'
import { Several } from './several.js'

/** One of each, in the order in which a run that is too short for all of them takes them. */
export function allScenarios(ledgers: Ledgers): readonly Scenario[] {
  return [
    new Plain(ledgers),
    new Several(ledgers),
    new Deferred(ledgers),
    new Backlog(ledgers),
    new Large(ledgers),
    new Paused(ledgers),
    new Deleted(ledgers),
    new Emptied(ledgers),
    new Ephemeral(ledgers),
  ]
}
