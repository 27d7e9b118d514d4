// node bench/write-path/questions.mjs [sync-beside|file-preparation|many-topics|file-change|replay] [--seconds=5] [--rounds=3]
import { parseArgs } from 'node:util'
import { fileChange } from './questions/file-change.mjs'
import { filePreparation } from './questions/file-preparation.mjs'
import { manyTopics } from './questions/many-topics.mjs'
import { replayTime } from './questions/replay.mjs'
import { syncBeside } from './questions/sync-beside.mjs'

const QUESTIONS = {
  'sync-beside': syncBeside,
  'file-preparation': filePreparation,
  'many-topics': manyTopics,
  'file-change': fileChange,
  replay: replayTime,
}

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, rounds: { type: 'string', default: '3' } },
  allowPositionals: true,
})
for (const name of positionals.length > 0 ? positionals : Object.keys(QUESTIONS))
  await QUESTIONS[name]({
    seconds: Number(values.seconds),
    rounds: Number(values.rounds),
    print: (line) => process.stdout.write(`${line}\n`),
  })
