/** Something of a queue that is not there or cannot be read: its messages are missing after the import. */
export interface QueueDamage {
  /**
   * `unreadable`: bytes that are no record, and what follows in the same file. `oversized`: the same, where a record would be one
   * of a message larger than any may be. `missing`: a file that has to be there, and those up to `lastPath`. `cut-off`: a file ends before what
   * was written to it. `position`: reading stands behind the end of the file. `nonsense`: the note of where reading stands cannot be read, so
   * everything that is there is taken, what was read already included.
   */
  readonly kind: 'unreadable' | 'oversized' | 'missing' | 'cut-off' | 'position' | 'nonsense'
  readonly path: string
  /** Of several files that are missing. */
  readonly lastPath?: string
  /** Where it begins in the file, and how many bytes it is about. */
  readonly offset: number
  readonly sizeBytes: number
}

/** A queue in which another number of messages was found than nsqd has counted. */
export interface CountDifference {
  /** `topic` or `topic:channel`. */
  readonly queue: string
  /** What nsqd had counted. */
  readonly expectedCount: number
  readonly messageCount: number
}

/** One line for people. */
export function describeDamage({ kind, path, lastPath, offset, sizeBytes }: QueueDamage): string {
  switch (kind) {
    case 'unreadable':
      return `${path}: ${sizeBytes} bytes from ${offset} on cannot be read, and are missing now`
    case 'oversized':
      return `${path}: ${sizeBytes} bytes from ${offset} on are missing now: what begins there is larger than --max-msg-size`
    case 'missing':
      return `${path}: the file is missing${lastPath === undefined ? '' : `, and so are all up to ${lastPath}`}`
    case 'cut-off':
      return `${path}: ends at ${offset}, and ${sizeBytes} bytes that were written behind it are missing`
    case 'position':
      return `${path}: was read up to ${offset}, which is ${sizeBytes} bytes behind its end`
    case 'nonsense':
      return `${path}: makes no sense, so messages that were consumed already may be among those taken over`
  }
}

/** One line for people. */
export function describeDifference({ queue, expectedCount, messageCount }: CountDifference): string {
  const meaning =
    messageCount < expectedCount
      ? `${expectedCount - messageCount} are missing now`
      : 'its count lags behind after an unclean stop, and some may be delivered again'
  return `${queue}: nsqd had counted ${expectedCount} messages, ${messageCount} were found: ${meaning}`
}
