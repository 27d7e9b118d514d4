/** How far a connection has come; the numbers are those of `/stats`. */
export const SessionState = { init: 0, subscribed: 3, closing: 4 } as const
export type SessionState = (typeof SessionState)[keyof typeof SessionState]
