/** Why a foreign client cannot be tested on this machine. */
export interface Unavailable {
  readonly unavailable: string
}

/** The last line of what a tool printed: where tools put the cause. */
export function reasonFrom(what: string, output: string): Unavailable {
  return { unavailable: `${what}: ${output.trim().split('\n').at(-1) ?? ''}` }
}
