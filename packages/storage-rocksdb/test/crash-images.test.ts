import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { randomBelow, seededRandom } from '@spillway/core/testing'
import { Ledger, type LedgerEvent } from './ledger.js'
import { makeStorage, temporaryFolder } from './support.js'

const IMAGES = Number(process.env.IMAGES ?? 16)
/** Between two images. */
const RUN_MS_MAX = 120

/**
 * A process that writes is stopped at random moments, wherever its threads are, and its data path is copied: each copy is what a
 * kill -9 at that moment would have left.
 */
describe('Crash images', function () {
  this.timeout(20_000 + 1000 * IMAGES)
  const folder = temporaryFolder()
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  let writer: ChildProcess

  afterEach(() => writer?.kill('SIGKILL'))

  it(`have all that was safe, exactly as it was written (SEED=${seed})`, async function () {
    if (process.platform !== 'linux') this.skip() // whether all threads have stopped is seen in /proc
    const random = seededRandom(seed)
    const path = join(folder, 'data')
    const ledgerPath = join(folder, 'ledger')
    mkdirSync(path)
    writer = fork(new URL('stopped-writer.js', import.meta.url), [path, ledgerPath, String(seed)])
    await once(writer, 'message')
    for (let image = 0; image < IMAGES; image++) {
      await new Promise((resolve) => setTimeout(resolve, randomBelow(random, RUN_MS_MAX)))
      const copy = join(folder, `copy-${image}`)
      writer.kill('SIGSTOP')
      await untilStopped(writer.pid as number)
      cpSync(path, copy, { recursive: true })
      const ledger = readLedger(ledgerPath)
      writer.kill('SIGCONT')
      await check(copy, ledger)
      rmSync(copy, { recursive: true })
    }
    assert.equal(writer.exitCode, null)
    const ended = once(writer, 'exit')
    writer.kill('SIGKILL')
    await ended
    await check(path, readLedger(ledgerPath))
  })
})

/** Opens it as after a crash, and once more after it was closed in order. */
async function check(path: string, ledger: Ledger): Promise<void> {
  for (let times = 0; times < 2; times++) {
    const storage = makeStorage(path)
    await storage.open()
    await ledger.check(storage, false)
    await storage.close()
  }
}

function readLedger(path: string): Ledger {
  const ledger = new Ledger()
  for (const line of readFileSync(path, 'utf8').split('\n').slice(0, -1)) ledger.note(JSON.parse(line) as LedgerEvent)
  return ledger
}

async function untilStopped(pid: number): Promise<void> {
  const tasks = `/proc/${pid}/task`
  const isStopped = (task: string): boolean => / T /.test(readFileSync(join(tasks, task, 'stat'), 'utf8'))
  while (!readdirSync(tasks).every(isStopped)) await new Promise((resolve) => setImmediate(resolve))
}
