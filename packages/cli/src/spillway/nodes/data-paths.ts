import { readdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError, type LoadedConfig } from '@spillway/core/node'
import { nodeName } from './plan.js'

/** What a broker, or an nsqd, that had the path for itself leaves there. */
const OF_ONE_BROKER = ['journal', 'rocksdb', 'nsqd.dat']

/**
 * Looks at a data path that several nodes are to share.
 * @returns names of nodes that have something there and are not among these
 * @throws ConfigError it has messages of one broker, which none of the nodes would find
 */
export function lookAtDataPath({ node, source, storage }: LoadedConfig, nodeCount: number): string[] {
  if (storage.plugin.name === 'storage-memory') return [] // what lies there is not its own
  const path = resolve(source.folder, node.dataPath)
  const names = namesIn(path)
  const left = OF_ONE_BROKER.find((name) => names.includes(name))
  if (left !== undefined) {
    const pointer = '/node/dataPath'
    const found = `${path} with ${left} in it, which belongs to one broker`
    const expected = `a path for ${nodeCount} nodes: stop that broker and move what is there into ${path}/${nodeName(1)}`
    throw new ConfigError([{ code: 'E_CONFIG', file: source.label, pointer, found, expected }])
  }
  return names
    .filter((name) => Number(/^node-([1-9]\d*)$/.exec(name)?.[1] ?? 0) > nodeCount)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return [] // there is none yet, or whoever opens it says what is wrong with it
  }
}
