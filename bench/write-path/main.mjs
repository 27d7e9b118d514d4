// node bench/write-path/main.mjs [single|mpub] [--seconds=6] [--rounds=3]: the candidates in turn, the medians of the rounds as a table.
import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CANDIDATES, loadPackage } from './candidates/index.mjs'
import { WORKLOADS } from './workload.mjs'

const RUN = fileURLToPath(new URL('run.mjs', import.meta.url))

const COLUMNS = {
  'appends/s': (r) => Math.round(r.appendsPerSecond),
  'records/s': (r) => Math.round(r.recordsPerSecond),
  'CPU s/M records': (r) => r.cpuPerMillion.toPrecision(3),
  'append p50 us': (r) => r.latency.p50,
  'p99 us': (r) => r.latency.p99,
  'p99.9 us': (r) => r.latency.p999,
  'longest block ms': (r) => r.blockMaxMs.toFixed(1),
  'loop p99.9 ms': (r) => r.loopP999Ms.toFixed(1),
  'loop max ms': (r) => r.loopMaxMs.toFixed(1),
  'longest pause ms': (r) => r.pauseMaxMs.toFixed(1),
  'written/byte': (r) => r.askedPerByte.toFixed(2),
  'to disk/byte': (r) => r.dirtiedPerByte.toFixed(2),
}

function median(values) {
  const sorted = values.map(Number).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

function measure(candidate, workload, seconds) {
  const result = JSON.parse(
    execFileSync(process.execPath, [RUN, candidate, workload, String(seconds)], { encoding: 'utf8' }),
  )
  return Object.fromEntries(Object.entries(COLUMNS).map(([name, of]) => [name, of(result)]))
}

const { values, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '6' }, rounds: { type: 'string', default: '3' } },
  allowPositionals: true,
})
const installed = []
for (const candidate of Object.keys(CANDIDATES)) {
  const label = loadPackage(candidate)?.label
  if (label === undefined) process.stdout.write(`${candidate}: ${CANDIDATES[candidate].needs} is not installed\n`)
  else installed.push({ candidate, label })
}
for (const workload of positionals.length > 0 ? positionals : Object.keys(WORKLOADS)) {
  const rows = new Map()
  const takingPart = installed.filter(({ candidate }) => CANDIDATES[candidate].workloads?.includes(workload) ?? true)
  for (let round = 1; round <= Number(values.rounds); round++)
    for (const { candidate, label } of takingPart) {
      const row = measure(candidate, workload, Number(values.seconds))
      const name = `${candidate}${label && ` (${label})`}`
      rows.set(name, [...(rows.get(name) ?? []), row])
      process.stderr.write(`${round} ${workload} ${name} load ${loadavg()[0].toFixed(1)} ${JSON.stringify(row)}\n`)
    }
  process.stdout.write(`\n| ${workload} | ${Object.keys(COLUMNS).join(' | ')} |\n|${' --- |'.repeat(13)}\n`)
  for (const [name, results] of rows)
    process.stdout.write(
      `| ${name} | ${Object.keys(COLUMNS)
        .map((c) => median(results.map((r) => r[c])))
        .join(' | ')} |\n`,
    )
}
