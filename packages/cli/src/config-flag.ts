import type { GoFlag } from './go-flags.js'

/** A flag that may stand in its program's configuration file. */
export interface ConfigFlag<T = unknown> extends GoFlag<T> {
  /** Its key there, where that is not its name with `_` for `-`. */
  readonly key?: string
}

export function configKeyOf(name: string, { key }: ConfigFlag): string {
  return key ?? name.replaceAll('-', '_')
}
