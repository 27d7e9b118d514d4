// The process that the conformance suite kills: `killed-writer.js FOLDER DURABILITY`.
import type { Durability } from '@spillway/core'
import { writeUntilKilled } from '@spillway/core/testing'
import { makeStorage } from './support.js'

const [folder, durability] = process.argv.slice(2)
const storage = makeStorage(folder, { durability: durability as Durability })
await writeUntilKilled(storage, durability as Durability, (line) => process.send?.(line))
