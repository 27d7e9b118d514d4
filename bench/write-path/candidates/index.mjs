import { createRequire } from 'node:module'
import { join } from 'node:path'
import { openJournal } from './journal.mjs'
import { openNothing } from './nothing.mjs'
import { openNxtedition } from './nxtedition.mjs'
import { openRocksdbNative } from './rocksdb-native.mjs'

const requireHere = createRequire(join(process.cwd(), 'package.json'))

/** Packages are taken from where the measurement was started, so that none has to be a dependency of the repository. */
function load(name) {
  const module = requireHere(name)
  return {
    module,
    version: requireHere(name === 'rocksdb-native' ? `${name}/package` : `${name}/package.json`).version,
  }
}

const NATIVE = 'rocksdb-native'
const NXTEDITION = '@nxtedition/rocksdb'

/** `workloads` where a candidate differs from another in one of them only. */
export const CANDIDATES = {
  'nothing stored': { open: openNothing },
  'RocksDB main thread': { needs: NXTEDITION, open: openNxtedition },
  'RocksDB pool': { needs: NATIVE, open: openRocksdbNative, options: { single: 1, mpub: 4 } },
  'RocksDB pool, 2 in flight': {
    needs: NATIVE,
    open: openRocksdbNative,
    options: { single: 2 },
    workloads: ['single'],
  },
  'journal, all stored': { needs: NATIVE, open: openJournal },
  'journal, all consumed': { needs: NATIVE, open: openJournal, options: { consumed: true } },
  'RocksDB main thread, power': { needs: NXTEDITION, open: openNxtedition, options: { sync: true } },
  'journal, power': { needs: NATIVE, open: openJournal, options: { power: true } },
  'journal, power, all consumed': { needs: NATIVE, open: openJournal, options: { power: true, consumed: true } },
}

/** `undefined` when the candidate's package is not installed. */
export function loadPackage(candidate) {
  const { needs } = CANDIDATES[candidate]
  if (needs === undefined) return { module: undefined, label: '' }
  try {
    const { module, version } = load(needs)
    return { module, label: `${needs} ${version}` }
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
