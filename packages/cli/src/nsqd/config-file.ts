import { readTomlConfig, type TomlConfig } from '../toml-config.js'
import { NSQD_FLAGS } from './flags.js'

/** What a configuration file of nsqd says, as its flags would have it. */
export type ConfigFile = TomlConfig<typeof NSQD_FLAGS>

/** @throws Error with one line that names the place */
export function readConfigFile(path: string): ConfigFile {
  return readTomlConfig(NSQD_FLAGS, path)
}
