import { ConfigError, type LoadedConfig } from '@spillway/core/node'

/**
 * A program that embeds a broker may do without transports; a process of its own that nobody can reach is a mistake.
 * @throws ConfigError
 */
export function requireListener({ source, transports }: LoadedConfig): void {
  if (transports.length > 0) return
  const at = { code: 'E_CONFIG', file: source.label, pointer: '/transports' } as const
  throw new ConfigError([
    { ...at, found: '[]', expected: 'at least one transport: without it nobody reaches the broker' },
  ])
}
