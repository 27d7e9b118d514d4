import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** The files of a folder and of those in it, by path, in order, as text; what ends in `.gz` decompressed. */
export async function filesIn(folder: string): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name)
    if (!(await stat(path)).isFile()) continue
    const bytes = await readFile(path)
    texts[name] = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  }
  return texts
}
