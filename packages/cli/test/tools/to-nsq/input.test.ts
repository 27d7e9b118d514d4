import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

/** From dist/test/tools/to-nsq. */
const TO_NSQ_PATH = fileURLToPath(new URL('../../../../bin/to_nsq.js', import.meta.url))

describe('to_nsq', () => {
  it('refuses a folder as its input, which Node reads as an empty one', () => {
    const folder = openSync(tmpdir(), 'r')
    try {
      const args = [TO_NSQ_PATH, '--topic=t', '--nsqd-tcp-address=127.0.0.1:1']
      const { status, stderr } = spawnSync(process.execPath, args, {
        stdio: [folder, 'pipe', 'pipe'],
        encoding: 'utf8',
      })
      assert.deepEqual([status, stderr], [1, 'to_nsq: standard input is a folder; give it a file\n'])
    } finally {
      closeSync(folder)
    }
  })
})
