import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own that is soon full; needs the right to mount. */
export class SmallDisk {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** Null where this process may not mount. */
  static mount(sizeBytes: number): SmallDisk | null {
    if (process.platform !== 'linux') return null
    const path = mkdtempSync(join(tmpdir(), 'spillway-disk-'))
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', path], { stdio: 'ignore' })
    } catch {
      rmSync(path, { recursive: true })
      return null
    }
    return new SmallDisk(path)
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path)
    return bavail * bsize
  }

  resize(sizeBytes: number): void {
    this.#remount(`size=${sizeBytes}`)
  }

  /** From now on nothing can be written. */
  makeReadOnly(): void {
    this.#remount('ro')
  }

  #remount(options: string): void {
    execFileSync('mount', ['-o', `remount,${options}`, this.path])
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.path])
    rmSync(this.path, { recursive: true })
  }
}
