import type { GoFlag } from '../../go-flags.js'
import { integer, text } from '../common/flag-kinds.js'
import { MODES, type Mode } from './mode.js'

/** What tools have that share messages out among destinations. */
export const DESTINATION_FLAGS = {
  mode: {
    ...text(`how messages are shared out: ${MODES.join(', ')}`, 'hostpool'),
    parse(value: string): Mode {
      const mode = MODES.find((each) => each === value)
      if (mode === undefined) throw new Error(`expected one of ${MODES.join(', ')}`)
      return mode
    },
  } satisfies GoFlag<Mode>,
  'status-every': integer('messages after which a line says how long they took; 0: never', '0'),
} as const
