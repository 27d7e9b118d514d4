import type { Plugin } from '@spillway/core'
import { CONFIG_SCHEMA, type JsonSchema } from '@spillway/core/node'
import { allowReferences } from './allow-references.js'

/** Spillway's own plugins, by the section of the configuration that they belong in. */
const OWN_PLUGINS: Readonly<Record<string, readonly string[]>> = {
  storage: ['@spillway/storage-rocksdb', '@spillway/storage-memory'],
  transports: ['@spillway/transport-tcp', '@spillway/transport-http'],
  discovery: ['@spillway/discovery-nsqlookupd', '@spillway/discovery-static'],
  authenticator: ['@spillway/auth-nsq', '@spillway/auth-static'],
  reporters: ['@spillway/reporter-statsd'],
}

/**
 * The schema of a whole configuration file for editors: core's, with the options of our own plugins wherever `use` names one.
 * It keeps to what JSON Schema draft 7 and draft 2020-12 both know, since editors know the former best.
 */
export async function editorSchema(): Promise<JsonSchema> {
  const properties: Record<string, unknown> = {}
  for (const [name, section] of Object.entries<JsonSchema>(CONFIG_SCHEMA.properties)) {
    const own = OWN_PLUGINS[name] ?? []
    const isList = section.type === 'array'
    if (own.length === 0) properties[name] = section
    else if (isList) properties[name] = { ...section, items: await withOwnPlugins(section.items as JsonSchema, own) }
    else properties[name] = await withOwnPlugins(section, own)
  }
  return allowReferences({ $schema: 'http://json-schema.org/draft-07/schema#', ...CONFIG_SCHEMA, properties })
}

async function withOwnPlugins(section: JsonSchema, names: readonly string[]): Promise<JsonSchema> {
  const properties = section.properties as Record<string, JsonSchema>
  const branches: JsonSchema[] = []
  for (const name of names) {
    const plugin: Plugin = (await import(name)).default
    const isThis = { required: ['use'], properties: { use: { const: name } } }
    // biome-ignore lint/suspicious/noThenProperty: this is JSON Schema's keyword, and nobody awaits it
    branches.push({ if: isThis, then: thatHasOptions(properties.options, plugin.optionsSchema as JsonSchema) })
  }
  const use = { ...properties.use, examples: [...names, './my-plugin.js'] }
  return { ...section, properties: { ...properties, use }, allOf: branches }
}

/** Core's own options (a storage's durability) are allowed besides the plugin's. */
function thatHasOptions(core: JsonSchema, plugin: JsonSchema): JsonSchema {
  const properties = { ...(core.properties as object | undefined), ...(plugin.properties as object | undefined) }
  const isRequired = Array.isArray(plugin.required) && plugin.required.length > 0
  return { ...(isRequired ? { required: ['options'] } : {}), properties: { options: { ...plugin, properties } } }
}
