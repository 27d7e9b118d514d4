import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join, resolve } from 'node:path'

/** Whether `use` names a file or folder, not a package. */
export function isModulePath(use: string): boolean {
  return /^\.{1,2}(?:[/\\]|$)/.test(use) || isAbsolute(use)
}

/**
 * The file of a module, as an import from a file in `folder` would find it; also a folder with a `package.json` or an
 * `index.js`, when `use` is a path. Node's own resolver for imports cannot be asked on behalf of another folder, so its
 * `require` is asked, and the `exports` of packages that only allow `import` are read here.
 * @returns `null` when there is none
 */
export function resolveModule(use: string, folder: string): string | null {
  if (isModulePath(use)) {
    const path = resolve(folder, use)
    return importEntry(path, '.') ?? requireResolve(path, folder)
  }
  return requireResolve(use, folder) ?? resolveImportOnly(use, folder)
}

function requireResolve(use: string, folder: string): string | null {
  try {
    return createRequire(join(folder, 'configuration.js')).resolve(use)
  } catch {
    return null
  }
}

function resolveImportOnly(use: string, folder: string): string | null {
  const [, name, subpath] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(use) ?? []
  if (name === undefined) return null
  for (let parent = folder; ; parent = dirname(parent)) {
    const entry = importEntry(join(parent, 'node_modules', name), `.${subpath ?? ''}`)
    if (entry !== null || parent === dirname(parent)) return entry
  }
}

function importEntry(packageFolder: string, subpath: string): string | null {
  const manifest = join(packageFolder, 'package.json')
  if (!existsSync(manifest)) return null
  const { exports } = JSON.parse(readFileSync(manifest, 'utf8'))
  const isMap =
    typeof exports === 'object' && exports !== null && Object.keys(exports).some((key) => key.startsWith('.'))
  const target = pickTarget(isMap ? exports[subpath] : subpath === '.' ? exports : undefined)
  return target === null ? null : resolve(packageFolder, target)
}

const CONDITIONS = new Set(['node', 'import', 'default'])

function pickTarget(target: unknown): string | null {
  if (typeof target === 'string') return target
  if (typeof target !== 'object' || target === null) return null
  for (const [condition, value] of Object.entries(target)) {
    const picked = CONDITIONS.has(condition) ? pickTarget(value) : null
    if (picked !== null) return picked
  }
  return null
}
