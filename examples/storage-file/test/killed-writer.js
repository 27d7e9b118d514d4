// The process that the conformance suite kills: `killed-writer.js FOLDER DURABILITY`.
import { writeUntilKilled } from '@spillway/core/testing'
import { FileStorage } from '../index.js'

const [folder, durability] = process.argv.slice(2)
await writeUntilKilled(new FileStorage(folder), durability, (line) => process.send(line))
