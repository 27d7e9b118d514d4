import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const folders: string[] = []

/** A hook after the tests of whoever asks for folders. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** A new folder with these files (path → text), outside the repository. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-test-'))
  folders.push(folder)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

interface PluginText {
  readonly provides?: string
  readonly apiVersion?: number
  readonly optionsSchema?: object
  /** The body of `create(options, context)`. */
  readonly create?: string
}

/** The text of a plugin module that imports nothing, as somebody outside may write it. */
export function pluginText({
  provides = 'storage',
  apiVersion = 1,
  optionsSchema,
  create = 'return {}',
}: PluginText = {}) {
  const schema = optionsSchema ?? { type: 'object', additionalProperties: false, properties: {} }
  return `export default {
  name: 'test-${provides}',
  apiVersion: ${apiVersion},
  provides: Symbol.for('spillway.${provides}'),
  optionsSchema: ${JSON.stringify(schema)},
  create(options, context) { ${create} },
}\n`
}
