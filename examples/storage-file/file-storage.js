import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { BrokerError } from '@spillway/core'
import { FileLog } from './file-log.js'
import { attempt, Journal, storageError } from './journal.js'
import { lock, unlock } from './lock.js'

/** Leases are reserved this many at a time; a crash wastes what is left of them, which is allowed. */
const LEASES_RESERVED = 1_000
const LEASE_MAX = 2 ** 32 - 1

/**
 * Keeps everything in a folder:
 *
 *   lock          the process that has it open
 *   catalogue     a journal; heads are { entries: [[key, value]] } and { leases: reserved up to here }
 *   logs/17       a journal for each log, named by its lease
 */
export class FileStorage {
  capabilities = { durabilities: ['process'], resident: false, memorySizeBytes: 0, whenFull: 'refuse', fencing: false }
  /** Nothing is ever refused before the disk does it. */
  refusal = null
  #path
  #logger
  /** `null` while closed. */
  #journal = null
  #catalogue = new Map()
  #nextLease = 1
  #reservedLease = 1
  #openLogs = new Map()

  /** @param logger - is told of what was cut off after a crash; none is needed */
  constructor(path, logger = null) {
    this.#path = path
    this.#logger = logger
  }

  async open() {
    makeFolder(join(this.#path, 'logs'))
    lock(this.#path)
    try {
      const journal = new Journal(join(this.#path, 'catalogue'))
      journal.replay((head) => this.#apply(head), this.#logger)
      this.#journal = journal
      this.#nextLease = this.#reservedLease
    } catch (error) {
      unlock(this.#path)
      throw error
    }
  }

  async readCatalogue(prefix) {
    this.#requireOpen()
    const keys = [...this.#catalogue.keys()].filter((key) => key.startsWith(prefix)).sort()
    return new Map(keys.map((key) => [key, Buffer.from(this.#catalogue.get(key), 'base64')]))
  }

  writeCatalogue(writes) {
    this.#requireOpen()
    const entries = writes.map(({ key, value }) => [key, value === null ? null : Buffer.from(value).toString('base64')])
    this.#write({ entries })
  }

  takeLeases(count) {
    this.#requireOpen()
    const first = this.#nextLease
    if (first + count - 1 > LEASE_MAX) throw new BrokerError('E_STORAGE_FULL', 'all leases are used up')
    if (first + count > this.#reservedLease) this.#write({ leases: first + count + LEASES_RESERVED })
    this.#nextLease = first + count
    return first
  }

  async openLog(lease, { durability }) {
    this.#requireOpen()
    if (!this.capabilities.durabilities.includes(durability)) {
      throw new BrokerError('E_INVALID_OPTION', `storage-file offers durability process, not ${durability}`)
    }
    if (this.#openLogs.has(lease)) throw new BrokerError('E_STORAGE_LOCKED', `log ${lease} is open already`)
    const log = new FileLog(this.#logPath(lease), this.#logger, () => this.#openLogs.delete(lease))
    this.#openLogs.set(lease, log)
    return log
  }

  async deleteLog(lease) {
    this.#requireOpen()
    if (this.#openLogs.has(lease)) throw new BrokerError('E_STORAGE_LOCKED', `log ${lease} is open`)
    for (const path of [`${this.#logPath(lease)}.new`, this.#logPath(lease)]) {
      attempt(path, () => rmSync(path, { force: true }))
    }
  }

  async listLogs() {
    this.#requireOpen()
    const names = attempt(this.#path, () => readdirSync(join(this.#path, 'logs')))
    const isLog = (name) => /^\d+$/.test(name) && statSync(join(this.#path, 'logs', name)).size > 0
    return names.filter(isLog).map(Number)
  }

  async close() {
    if (this.#journal === null) return
    const journal = this.#journal
    this.#journal = null
    for (const log of this.#openLogs.values()) await log.close()
    journal.close()
    unlock(this.#path)
  }

  #write(head) {
    this.#journal.append(head)
    this.#apply(head)
  }

  #apply({ entries = [], leases = 0 }) {
    this.#reservedLease = Math.max(this.#reservedLease, leases)
    for (const [key, value] of entries) {
      if (value === null) this.#catalogue.delete(key)
      else this.#catalogue.set(key, value)
    }
  }

  #logPath(lease) {
    return join(this.#path, 'logs', String(lease))
  }

  #requireOpen() {
    if (this.#journal === null) throw new BrokerError('E_STORAGE_CLOSED', `${this.#path} is not open`)
  }
}

/** Makes a folder and those above it, one by one: Node's own way to do that never returns for some paths below /proc. */
function makeFolder(path, mayMakeParent = true) {
  try {
    mkdirSync(path)
  } catch (error) {
    if (error.code === 'EEXIST') return
    if (error.code !== 'ENOENT' || !mayMakeParent || dirname(path) === path) throw storageError(path, error)
    makeFolder(dirname(path))
    makeFolder(path, false)
  }
}
