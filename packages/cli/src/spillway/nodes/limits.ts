/** More brokers than this on one machine is a slip of the finger. */
export const NODES_MAX = 64

/** How far the ports of one node are from those of the one before, where nobody says otherwise: 4150, 4250, 4350. */
export const PORT_STEP = 100

export const PORT_STEP_MAX = 10_000
