import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Runs `work` with a fresh folder on the disk that is measured, and removes it. */
export async function inFreshDirectory(work) {
  const parent = process.env.WRITE_PATH_DIR ?? '.'
  mkdirSync(parent, { recursive: true })
  const dir = mkdtempSync(join(parent, 'write-path-'))
  try {
    return await work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
