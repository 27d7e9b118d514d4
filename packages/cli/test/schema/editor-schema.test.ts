import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadConfig, readConfigFile } from '@spillway/core/node'
import { Ajv, type ValidateFunction } from 'ajv'
import { DEFAULT_CONFIG } from '../../src/default-config.js'
import { editorSchema } from '../../src/schema/editor-schema.js'

const FOLDER = new URL('../../../../../config/', import.meta.url)
const readJson = (name: string) => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))
const shipped = readdirSync(FOLDER).filter((name) => name.endsWith('.json') && name !== 'spillway.schema.json')

/** Compiling the schema takes most of the time. */
let validating: Promise<ValidateFunction> | undefined

/** What an editor would underline. */
async function complaintsAbout(config: unknown): Promise<string[]> {
  validating ??= editorSchema().then((schema) => new Ajv({ allErrors: true, strict: false }).compile(schema))
  const validate = await validating
  validate(config)
  return (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(({ instancePath }) => instancePath)
}

describe('config/spillway.schema.json', () => {
  it('is what `npm run schema` makes of the schemas in the code', async () => {
    assert.deepEqual(readJson('spillway.schema.json'), await editorSchema())
  })

  it('knows the options of our own plugins, and leaves those of others alone', async () => {
    const storage = { use: '@spillway/storage-memory', options: { durability: 'none' } }
    const tcp = { use: '@spillway/transport-tcp', options: { adress: ':4150' } }
    const other = { use: './mine.js', options: { anything: 1 } }
    assert.deepEqual(await complaintsAbout({ storage, transports: [other] }), [])
    assert.deepEqual(await complaintsAbout({ storage, transports: [other, tcp] }), ['/transports/1/options'])
  })

  it('finds misspelt keys everywhere else', async () => {
    const config = { storage: { use: 's', option: {} }, transports: [], node: { datapath: 'x' }, transport: [] }
    assert.deepEqual((await complaintsAbout(config)).toSorted(), ['', '/node', '/storage'])
  })

  it('lets the environment fill numbers, booleans and words', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is the syntax that is meant
    const [number, word, wrong] = ['${MAX:-5}', '${LEVEL}', 'five']
    const storage = { use: '@spillway/storage-memory', options: { durability: word } }
    const config = { storage, transports: [], node: { readyCountMax: number, logLevel: word } }
    assert.deepEqual(await complaintsAbout(config), [])
    assert.deepEqual(await complaintsAbout({ ...config, node: { readyCountMax: wrong } }), ['/node/readyCountMax'])
  })
})

describe('the configurations in config/', () => {
  for (const name of shipped) {
    it(`${name} can be started, and editors find nothing wrong with it`, async () => {
      const path = fileURLToPath(new URL(name, FOLDER))
      const { source } = await loadConfig(await readConfigFile(path, {}))
      assert.equal(source.label, path)
      assert.deepEqual(await complaintsAbout(readJson(name)), [])
      assert.equal(readJson(name).$schema, './spillway.schema.json')
    })
  }

  it('those for a cluster have nothing that editors find wrong', async () => {
    const inCluster = readdirSync(new URL('cluster/', FOLDER)).filter((name) => name.endsWith('.json'))
    assert.ok(inCluster.length > 0)
    for (const name of inCluster) assert.deepEqual(await complaintsAbout(readJson(`cluster/${name}`)), [], name)
  })

  it('default.json says what runs without a file', () => {
    const { $schema: _, ...config } = readJson('default.json')
    assert.deepEqual(config, DEFAULT_CONFIG)
  })
})
