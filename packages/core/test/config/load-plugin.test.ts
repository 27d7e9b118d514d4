import assert from 'node:assert/strict'
import { pathToFileURL } from 'node:url'
import { loadPlugin } from '../../src/config/load-plugin.js'
import { describeProblem } from '../../src/config/problem.js'
import { STORAGE } from '../../src/tokens.js'
import { folderWith, pluginText, removeFolders } from './temporary-folder.js'

async function load(files: Record<string, string>, use: string, fallbackFolder?: string) {
  const folder = folderWith(files)
  const source = { label: 'spillway.json', folder, substituted: new Map() }
  const fallbacks = fallbackFolder === undefined ? [] : [pathToFileURL(`${fallbackFolder}/main.js`).href]
  const plugin = await loadPlugin({
    use,
    provides: STORAGE,
    pointer: '/storage/use',
    source,
    fallbacks,
    idle: new Promise(() => {}),
  })
  return 'code' in plugin ? describeProblem(plugin).replaceAll(folder, 'FOLDER') : plugin.name
}

const line = (found: string, expected: string): string =>
  `spillway.json: /storage/use: found ${found}, expected ${expected}`

after(removeFolders)

describe('loadPlugin', () => {
  describe('finds', () => {
    it('a file beside the configuration', async () => {
      assert.equal(await load({ 'mine.mjs': pluginText() }, './mine.mjs'), 'test-storage')
    })

    it('a folder with a package.json', async () => {
      const files = {
        'plugins/mine/package.json': JSON.stringify({ type: 'module', exports: './lib/entry.js' }),
        'plugins/mine/lib/entry.js': pluginText(),
      }
      assert.equal(await load(files, './plugins/mine'), 'test-storage')
    })

    it('an installed package, also one that only allows import', async () => {
      const manifests = [
        { type: 'module', main: 'entry.js' },
        { type: 'module', exports: './entry.js' },
        { type: 'module', exports: { '.': { types: './x.d.ts', import: './entry.js' } } },
        { type: 'module', exports: { import: { node: './entry.js' } } },
      ]
      for (const manifest of manifests) {
        const files = {
          'node_modules/@me/mine/package.json': JSON.stringify({ name: '@me/mine', ...manifest }),
          'node_modules/@me/mine/entry.js': pluginText(),
        }
        assert.equal(await load(files, '@me/mine'), 'test-storage', JSON.stringify(manifest))
      }
    })

    it("a package that only Spillway's own folder has, after looking beside the configuration", async () => {
      const installed = (name: string) => ({
        'node_modules/mine/package.json': JSON.stringify({ type: 'module', exports: './entry.js' }),
        'node_modules/mine/entry.js': pluginText().replace('test-storage', name),
      })
      const own = folderWith(installed('from-spillway'))
      assert.equal(await load({}, 'mine', own), 'from-spillway')
      assert.equal(await load(installed('from-config'), 'mine', own), 'from-config')
    })

    it('a module that was compiled to CommonJS', async () => {
      const text = pluginText().replace('export default', 'exports.__esModule = true; exports.default =')
      assert.equal(await load({ 'mine.cjs': text }, './mine.cjs'), 'test-storage')
      const plain = pluginText().replace('export default', 'module.exports =')
      assert.equal(await load({ 'mine.cjs': plain }, './mine.cjs'), 'test-storage')
    })
  })

  describe('says what is wrong', () => {
    it('when there is no such file', async () => {
      assert.equal(
        await load({}, './mine.js'),
        line('"./mine.js", which is not to be found from FOLDER', 'the path of a module'),
      )
    })

    it('when no such package is installed, with the name that was probably meant', async () => {
      const files = {
        'node_modules/@spillway/storage-memory/package.json': JSON.stringify({ type: 'module', exports: './entry.js' }),
        'node_modules/@spillway/storage-memory/entry.js': pluginText(),
      }
      assert.equal(
        await load(files, '@spillway/storage-memroy'),
        'spillway.json: /storage/use: found "@spillway/storage-memroy", which is not to be found from FOLDER; did you mean "@spillway/storage-memory"?',
      )
    })

    it('with the nearest of all that come with Spillway', async () => {
      const packages = ['storage-memory', 'storage-rocksdb'].flatMap((name) => [
        [`node_modules/@spillway/${name}/package.json`, JSON.stringify({ type: 'module', exports: './entry.js' })],
        [`node_modules/@spillway/${name}/entry.js`, pluginText()],
      ])
      assert.match(
        await load(Object.fromEntries(packages), '@spillway/storage-rocks'),
        /did you mean "@spillway\/storage-rocksdb"\?$/,
      )
    })

    it('without suggesting what is not installed either', async () => {
      const expected = 'an installed package, or a path that begins with ./'
      assert.equal(
        await load({}, '@spillway/storage-memroy'),
        line('"@spillway/storage-memroy", which is not to be found from FOLDER', expected),
      )
      assert.equal(
        await load({}, '@spillway/transport-ws'),
        line('"@spillway/transport-ws", which is not in this version', expected),
      )
    })

    it('when the module throws or does not parse', async () => {
      const text = "throw new Error('no licence\\nsecond line')"
      const broken = await load({ 'mine.mjs': text }, './mine.mjs')
      assert.equal(broken, line('"./mine.mjs", which fails to load: no licence', 'a module that loads'))
      assert.match(await load({ 'mine.mjs': 'export default {' }, './mine.mjs'), /which fails to load: /)
    })

    it('when there is no default export', async () => {
      assert.equal(
        await load({ 'mine.mjs': 'export const plugin = 1' }, './mine.mjs'),
        line('"./mine.mjs", which has no default export', 'a plugin for storage'),
      )
    })

    it('when it provides another contract', async () => {
      assert.equal(
        await load({ 'mine.mjs': pluginText({ provides: 'transport' }) }, './mine.mjs'),
        line('"./mine.mjs", a plugin for transport', 'a plugin for storage'),
      )
    })

    it('when it was made for another API version', async () => {
      assert.equal(
        await load({ 'mine.mjs': pluginText({ apiVersion: 2 }) }, './mine.mjs'),
        line('"./mine.mjs", which has the plugin API version 2', 'version 1'),
      )
    })

    it('when something of the manifest is missing', async () => {
      const withoutCreate = pluginText().replace('create(', 'make(')
      assert.match(await load({ 'mine.mjs': withoutCreate }, './mine.mjs'), /whose manifest has no create function/)
      const withoutSchema = pluginText().replace('optionsSchema:', 'schema:')
      assert.match(await load({ 'mine.mjs': withoutSchema }, './mine.mjs'), /whose manifest has no optionsSchema/)
    })
  })
})
