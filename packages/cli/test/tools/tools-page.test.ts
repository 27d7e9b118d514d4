import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type GoFlag, parseGoFlags } from '../../src/go-flags.js'
import { OPT_NAMES, OPTS_WITHOUT_EFFECT } from '../../src/tools/common/client-opts.js'
import { CONSUMER_FLAGS } from '../../src/tools/common/consumer-flags.js'
import { NSQ_PUBSUB } from '../../src/tools/nsq-pubsub/main.js'
import { NSQ_STAT } from '../../src/tools/nsq-stat/main.js'
import { NSQ_TAIL } from '../../src/tools/nsq-tail/main.js'
import { NSQ_TO_FILE } from '../../src/tools/nsq-to-file/main.js'
import { NSQ_TO_HTTP } from '../../src/tools/nsq-to-http/main.js'
import { NSQ_TO_NSQ } from '../../src/tools/nsq-to-nsq/main.js'
import { TO_NSQ } from '../../src/tools/to-nsq/main.js'

const PAGE = readFileSync(new URL('../../../../../docs/tools.md', import.meta.url), 'utf8')
const TOOLS: Readonly<Record<string, Readonly<Record<string, GoFlag>>>> = {
  nsq_tail: NSQ_TAIL.flags,
  nsq_to_file: NSQ_TO_FILE.flags,
  to_nsq: TO_NSQ.flags,
  nsq_stat: NSQ_STAT.flags,
  nsq_to_nsq: NSQ_TO_NSQ.flags,
  nsq_to_http: NSQ_TO_HTTP.flags,
  nsq_pubsub: NSQ_PUBSUB.flags,
}

/** What stands in the table of all consumers is not said again. */
const isSaidForAll = (flags: Readonly<Record<string, GoFlag>>, flag: string): boolean =>
  flag === 'version' || (Object.hasOwn(flags, 'consumer-opt') && Object.hasOwn(CONSUMER_FLAGS, flag))

/** A part of the page, up to the next heading of its level or above. */
function section(heading: string): string {
  const start = PAGE.indexOf(`\n${heading}\n`)
  assert.ok(start !== -1, heading)
  const level = heading.indexOf(' ')
  const rest = PAGE.slice(start + 1 + heading.length)
  const end = rest.search(new RegExp(`\\n#{1,${level}} `))
  return end === -1 ? rest : rest.slice(0, end)
}

/** The code in the first column of its tables' rows, where there is nothing else. */
function firstCells(text: string): string[] {
  const cells = [...text.matchAll(/^\| ((?:`[^`]+`(?:, )?)+) \|/gm)].map(([, cell]) => cell)
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code))
}

describe('docs/tools.md', () => {
  for (const [name, flags] of Object.entries(TOOLS)) {
    it(`names every flag of ${name}, and none that it has not`, () => {
      const codes = firstCells(section(`## ${name}`)).filter((code) => code.startsWith('-'))
      const named = codes.map((flag) => flag.replace(/^--?/, ''))
      const own = Object.keys(flags).filter((flag) => !isSaidForAll(flags, flag))
      assert.deepEqual(named.sort(), own.sort())
    })

    it(`has defaults of ${name} that are in its help`, () => {
      for (const [, flag, value] of section(`## ${name}`).matchAll(/^\| `--?([\w-]+)` \| `([^`]+)` \|/gm)) {
        if (value.startsWith('--') || value.startsWith('tail')) continue
        assert.equal(flags[flag].defaultText, value.trim() === '[nsq_to_file]' ? '[nsq_to_file] ' : value, flag)
      }
    })

    it(`has examples of ${name} that it takes`, () => {
      const lines = [...section(`## ${name}`).matchAll(/^(?:.* \| )?((?:nsq_|to_)\w+) (.*)$/gm)]
      assert.ok(lines.length > 0)
      for (const [, command, line] of lines) {
        assert.equal(command, name)
        const args = line
          .split(/ [|<] /)[0]
          .split(' ')
          .map((arg) => arg.replace(/'(.*)'/, '$1'))
        assert.deepEqual(parseGoFlags(flags, args).rest, [])
      }
    })
  }

  it('names what all consumers have', () => {
    const named = firstCells(section('## What they have in common')).filter((code) => code.startsWith('--'))
    const all = Object.keys(CONSUMER_FLAGS).filter((flag) => flag !== 'version')
    assert.deepEqual(named.sort(), all.map((flag) => `--${flag}`).sort())
  })

  it('names every option of the client, and those without effect apart', () => {
    const text = section('### Options of the client')
    const idle = /^Accepted, and without effect: .*$/m.exec(text)?.[0] ?? ''
    const idleNames = Object.keys(OPTS_WITHOUT_EFFECT)
    for (const name of idleNames) assert.ok(idle.includes(`\`${name}\``), name)
    const others = OPT_NAMES.filter((name) => !idleNames.includes(name))
    const known = [...firstCells(text), 'skip_lookupd_authorization']
    assert.deepEqual([...known].sort(), [...others].sort())
    assert.ok(text.includes('`skip_lookupd_authorization`'))
  })
})
