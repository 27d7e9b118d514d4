/**
 * One option of the node, as `/config/{name}` shows it. Its name and its values are those of nsqd: durations in nanoseconds,
 * lists as arrays.
 */
export interface Setting {
  /** As in nsqd's configuration file, e.g. `max_rdy_count`. */
  readonly name: string
  get(): unknown
  /** Takes what a client sent, at once; `null` for what does not change while the node runs. @throws BrokerError `E_INVALID_OPTION` */
  readonly set: ((text: string) => void) | null
}
