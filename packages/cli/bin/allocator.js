/**
 * glibc gives a freed block back to the system only when it was got by a mapping of its own, and by default raises the size from
 * which it does that to the largest block it has seen freed: a broker that had 1 MiB slabs keeps hundreds of megabytes after a
 * burst. With a fixed size it does not, and is no slower (docs/performance.md). It reads that from the environment when a process starts.
 */
const NAME = 'MALLOC_MMAP_THRESHOLD_'
const MMAP_THRESHOLD_BYTES = '262144'

/** Starts this process anew with that setting, where Node can (22.15 and up); `npm start` sets it itself. */
export function giveMemoryBack() {
  if (process.platform !== 'linux' || process.env[NAME] !== undefined || process.execve === undefined) return
  process.removeAllListeners('warning') // Node calls execve experimental at every use
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  try {
    process.execve(process.execPath, args, { ...process.env, [NAME]: MMAP_THRESHOLD_BYTES })
  } catch {
    // then with the memory that it keeps
  }
}
