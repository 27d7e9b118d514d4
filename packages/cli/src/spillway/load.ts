import { configFromValue, type LoadedConfig, loadConfig, type RawConfig, readConfigFile } from '@spillway/core/node'
import { DEFAULT_CONFIG } from '../default-config.js'
import { requireListener } from '../require-listener.js'

/** The configuration of a file, or the embedded default. @throws ConfigError it cannot be read */
export async function readConfig(path: string | undefined): Promise<RawConfig> {
  return path === undefined
    ? configFromValue(DEFAULT_CONFIG, 'embedded default', process.cwd())
    : await readConfigFile(path)
}

/** Checks a configuration that a process is to run. @throws ConfigError with everything that is wrong */
export async function loadRunnable(raw: RawConfig): Promise<LoadedConfig> {
  const loaded = await loadConfig(raw, { pluginsFrom: [import.meta.url] })
  requireListener(loaded)
  return loaded
}
